/** What a message is. */
export type MessageType = 'text' | 'image' | 'file' | 'voice' | 'video' | 'location' | 'contact' | 'poll' | 'reaction';

/** A file in a message. */
export interface MessageMedia {
  mimetype: string;
  filename: string | null;
  bytes: Buffer;
}

/** A place in a message. */
interface MessageLocation {
  latitude: number;
  longitude: number;
  title: string | null;
}

/** A message as the simulated WhatsApp knows it; `engine-answers` renders it as each engine would. */
export interface Message {
  /** The opaque id without chat and direction; unique in a session. */
  readonly bareId: string;
  /** `55..@c.us`, `..@lid` or `..@g.us`. */
  readonly chatId: string;
  readonly fromMe: boolean;
  readonly source: 'api' | 'app';
  readonly type: MessageType;
  /** Text, caption or title; changes when the message is edited. */
  body: string;
  readonly timestampMs: number;
  /** -1 ERROR, 0 PENDING, 1 SERVER, 2 DEVICE, 3 READ, 4 PLAYED. */
  ack: number;
  readonly pushName: string | null;
  /** Who wrote it, in a group. */
  readonly participant?: string;
  /** The phone's chat id of a chat that came as `@lid`. */
  readonly phoneChatId?: string;
  readonly media?: MessageMedia;
  readonly location?: MessageLocation;
  readonly vCards?: string[];
  readonly pollOptions?: string[];
  /** Bare id of the quoted message, or the one reacted to. */
  readonly targetId?: string;
}

const ACK_NAMES = ['PENDING', 'SERVER', 'DEVICE', 'READ', 'PLAYED'];

/** WAHA's name of an ack number. */
export function ackName(ack: number): string {
  return ack === -1 ? 'ERROR' : (ACK_NAMES[ack] ?? 'UNKNOWN');
}

/** The id as WAHA writes it: `{fromMe}_{chat}_{bareId}`, in groups with the participant. */
export function serializedId(message: Message, meId: string | null, chatId = message.chatId): string {
  const id = `${message.fromMe}_${chatId}_${message.bareId}`;
  if (!chatId.endsWith('@g.us')) return id;
  const participant = message.participant ?? (message.fromMe ? meId : null);
  return participant === null ? id : `${id}_${participant}`;
}

/** The `message` part of the engines' raw form (WhatsApp's own protobuf field names). */
export function rawContent(message: Message): Record<string, unknown> {
  return RAW_CONTENT[message.type](message);
}

const RAW_CONTENT: Record<MessageType, (message: Message) => Record<string, unknown>> = {
  text: ({ fromMe, body }) => (fromMe ? { extendedTextMessage: { text: body } } : { conversation: body }),
  image: (message) => ({ imageMessage: rawMedia(message) }),
  file: (message) => ({ documentMessage: { ...rawMedia(message), fileName: message.media?.filename ?? null } }),
  voice: (message) => ({ audioMessage: { ...rawMedia(message), ptt: true } }),
  video: (message) => ({ videoMessage: rawMedia(message) }),
  location: ({ location }) => ({
    locationMessage: {
      degreesLatitude: location?.latitude,
      degreesLongitude: location?.longitude,
      name: location?.title ?? null,
    },
  }),
  contact: ({ vCards }) => ({ contactMessage: { vcard: vCards?.[0] ?? '' } }),
  poll: ({ body, pollOptions }) => ({
    pollCreationMessageV3: { name: body, options: pollOptions?.map((optionName) => ({ optionName })) },
  }),
  reaction: ({ targetId, body }) => ({ reactionMessage: { key: { id: targetId }, text: body } }),
};

function rawMedia({ media, body }: Message): Record<string, unknown> {
  return {
    url: 'https://mmg.whatsapp.net/x',
    mimetype: media?.mimetype,
    caption: body,
    fileLength: String(media?.bytes.length ?? 0),
    mediaKey: 'AAAA',
    directPath: '/v/x',
  };
}
