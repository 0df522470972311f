/** What we read of WAHA's answers, whichever engine gave them: this file knows their shapes (docs/WAHA.md §4, §5). */

type Json = Record<string, unknown>;
export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
/** PostgreSQL stores neither NUL nor half of a surrogate pair, and no message needs one. */
export const text = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value.replaceAll('\0', '').toWellFormed() : null;

/** What a body says: JSON, or else its text. */
export function parseAnswer(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return body;
  }
}

/**
 * When the answer held, by WAHA's clock, in whole seconds: the header tells when it was written, and what took long may have
 * been looked up at its beginning.
 */
export function answeredAt(header: string | string[] | undefined, tookMs: number): Date {
  const written = Date.parse(String(header)) || Date.now();
  return new Date(Math.floor((tookMs < 1_000 ? written : written - tookMs) / 1_000) * 1_000);
}

/** Longer ones are no ids of WhatsApp's; they are indexed, and taken apart with a pattern. */
const MAX_ID_LENGTH = 512;

/** The parts of a message id `{fromMe}_{chat}_{bareId}[_{participant}]`. */
export interface MessageIdParts {
  fromMe: boolean;
  /** The chat, `@s.whatsapp.net` rewritten to `@c.us`. */
  chat: string;
  /** What identifies the message in its session: the chat part may differ between the answer and later events. */
  waId: string;
  participant: string | null;
}

/** Takes a serialized message id apart; null when it is not one. */
export function parseMessageId(id: unknown): MessageIdParts | null {
  const match =
    typeof id === 'string' && id.length <= MAX_ID_LENGTH
      ? /^(true|false)_([^_]+)_(.+?)(?:_([^_]+@[^_]+))?$/.exec(id)
      : null;
  if (!match) return null;
  const [, fromMe, chat = '', waId = '', participant] = match;
  return { fromMe: fromMe === 'true', chat: chatOf(chat), waId, participant: participant ? chatOf(participant) : null };
}

/** The bare id in what may be a serialized id or a bare one; null when it is neither. */
export function bareIdOf(id: unknown): string | null {
  const given = text(id);
  const bare = given === null ? null : (parseMessageId(given)?.waId ?? given);
  return bare !== null && bare.length <= MAX_ID_LENGTH ? bare : null;
}

/** The serialized id of a WAMessage, which WEBJS has inside an object. */
export const messageIdOf = (message: Json): unknown => (isObject(message.id) ? message.id._serialized : message.id);

/** Who wrote a WAMessage of that id, in a group; null in a chat of two. */
export const authorOf = ({ participant }: Json, id: MessageIdParts): string | null =>
  text(participant) ? chatOf(String(participant)) : id.participant;

/** WAHA's spelling of a chat: the engines' own suffix for users never leaves `_data`. */
export const chatOf = (id: string): string => id.replace(/@s\.whatsapp\.net$/, '@c.us');

/** The bare id of the message that a send made: `id`, `id._serialized`, or the raw `key.id` of NOWEB; null when none came. */
export function sentMessageId(answer: unknown): string | null {
  if (!isObject(answer)) return null;
  const id = isObject(answer.id) ? (answer.id._serialized ?? answer.id.id) : answer.id;
  const key = isObject(answer.key) ? answer.key.id : undefined;
  return bareIdOf(text(id) ?? key);
}

/** A WAHA session as far as we compare it with ours. */
export interface WahaSessionInfo {
  name: string;
  status: string;
  /** When WAHA said so, by its own clock: its events are compared with it, and clocks differ. */
  at: Date;
  /** When it was asked, as performance.now(). */
  askedMs: number;
  from: 'answer';
  phone: string | null;
  pushName: string | null;
  /** Its configuration as WAHA has it, null where it has none; undefined where the answer does not tell. */
  config?: unknown;
}

/** Reads one session's info; null when it is not one. */
export function sessionInfo(answer: unknown, said: Pick<WahaSessionInfo, 'at' | 'askedMs'>): WahaSessionInfo | null {
  if (!isObject(answer) || !text(answer.name) || !text(answer.status)) return null;
  return {
    name: String(answer.name),
    status: String(answer.status).slice(0, 64),
    at: said.at,
    askedMs: said.askedMs,
    from: 'answer',
    config: answer.config,
    ...me(answer.me),
  };
}

/** Phone and push name of `me`, which is null before pairing. */
export function me(value: unknown): { phone: string | null; pushName: string | null } {
  if (!isObject(value)) return { phone: null, pushName: null };
  return { phone: text(value.id)?.replace(/(:\d+)?@.*$/, '') ?? null, pushName: text(value.pushName) };
}

/** The acks of WhatsApp, in their order; -1 is an error (docs/WAHA.md §5). */
export const ackStatus = (ack: unknown): 'failed' | 'sent' | 'delivered' | 'read' | 'played' | null => {
  switch (ack) {
    case -1:
      return 'failed';
    case 1:
      return 'sent';
    case 2:
      return 'delivered';
    case 3:
      return 'read';
    case 4:
      return 'played';
    default:
      return null; // 0 PENDING, and levels that nobody knows yet
  }
};

/** A WhatsApp message as WAHA tells it: in events, in lists and by id. */
export interface WahaMessage extends MessageIdParts {
  source: 'api' | 'app';
  /** Who wrote it, in a group; null in a chat of two. */
  author: string | null;
  /** In a chat of two its other id, the phone or the hidden one (`@lid`), where the engine names it; else null. */
  otherId: string | null;
  at: Date;
  type: string;
  body: string | null;
  /** Its file; `url`: where WAHA keeps it, for some minutes, null where it has none. */
  media: { url: string | null; mimetype: string | null; filename: string | null } | null;
  status: ReturnType<typeof ackStatus>;
}

/** Reads a WAMessage; null when it has no usable id. The chat is part 2 of its id, since `from` differs by engine. */
export function wahaMessage(payload: unknown): WahaMessage | null {
  if (!isObject(payload)) return null;
  const id = parseMessageId(messageIdOf(payload));
  if (!id) return null;
  const media = isObject(payload.media) ? payload.media : null;
  const mimetype = text(media?.mimetype);
  return {
    ...id,
    source: payload.source === 'api' ? 'api' : 'app',
    author: authorOf(payload, id),
    otherId: otherIdOf(payload._data, id),
    at: new Date(Number(payload.timestamp) * 1000 || Date.now()),
    type: messageType(payload, mimetype),
    body: text(payload.body),
    media: payload.hasMedia === true ? { url: text(media?.url), mimetype, filename: text(media?.filename) } : null,
    status: ackStatus(payload.ack),
  };
}

/**
 * The other id of a chat of two, which the engines have only in their raw form: Baileys in the key (before version 7 of the sender
 * only), whatsmeow in the source of the message. WEBJS does not tell it.
 */
function otherIdOf(raw: unknown, { chat, fromMe }: MessageIdParts): string | null {
  if (!isObject(raw) || chat.endsWith('@g.us')) return null;
  const { key, Info: info } = raw;
  let told: unknown;
  if (isObject(key)) told = key.remoteJidAlt ?? (fromMe ? null : (key.senderPn ?? key.senderLid));
  else if (isObject(info)) told = fromMe ? info.RecipientAlt : info.SenderAlt;
  const id = text(told);
  return id === null || id.length > MAX_ID_LENGTH ? null : chatOf(id.replace(/:\d+@/, '@'));
}

/** The number that WhatsApp knows, as a chat; null where it knows none, or tells the hidden id only. */
export function existingNumber(answer: unknown): string | null {
  if (!isObject(answer) || answer.numberExists !== true) return null;
  const ids = [text(answer.chatId), text(answer.pn)].map((id) => id && chatOf(id));
  return ids.find((id) => id?.endsWith('@c.us')) ?? null;
}

/** The phone of a hidden id (`@lid`), as a chat; null where WAHA does not know it. */
export function phoneOfHidden(answer: unknown): string | null {
  const phone = isObject(answer) ? text(answer.pn) : null;
  return phone === null ? null : chatOf(phone);
}

function messageType(payload: Json, mimetype: string | null): string {
  if (payload.hasMedia === true) {
    const kind = mimetype?.split('/')[0];
    if (kind === 'image' || kind === 'video') return kind;
    return kind === 'audio' ? 'voice' : 'file';
  }
  if (isObject(payload.location)) return 'location';
  return Array.isArray(payload.vCards) && payload.vCards.length > 0 ? 'contact' : 'text';
}
