import { isGroup, toJid } from './chat-ids';
import { ackName, rawContent, serializedId, type Message } from './message';
import type { EngineName } from './settings';

/** What an answer depends on besides the message. */
export interface AnswerContext {
  engine: EngineName;
  /** The session's own id, `55..@c.us`; null before pairing. */
  meId: string | null;
  /** Where WAHA serves this session's files. */
  filesUrl: string;
}

const BAILEYS_STATUS = ['PENDING', 'SERVER_ACK', 'DELIVERY_ACK', 'READ', 'PLAYED'];

/** WAHA's WAMessage, as `message` events and the messages endpoints carry it; `from` and `to` differ by engine. */
export function waMessage(message: Message, context: AnswerContext): Record<string, unknown> {
  return {
    id: serializedId(message, context.meId),
    timestamp: Math.floor(message.timestampMs / 1000),
    ...addresses(message, message.chatId, context),
    source: message.source,
    body: message.body,
    hasMedia: message.media !== undefined,
    media: mediaOf(message, context),
    ack: message.ack,
    ackName: ackName(message.ack),
    location: message.location ?? null,
    vCards: message.vCards ?? null,
    replyTo: message.targetId === undefined ? null : { id: message.targetId },
    _data: rawMessage(message, context),
  };
}

/** What a send answers: the raw Baileys message (NOWEB; a WAMessage for polls), GOWS's pair, or WEBJS's Message. */
export function sendAnswer(message: Message, context: AnswerContext): Record<string, unknown> {
  switch (context.engine) {
    case 'NOWEB':
      return message.type === 'poll' ? waMessage(message, context) : baileysMessage(message);
    case 'GOWS':
      return { id: serializedId(message, context.meId), _data: whatsmeowMessage(message, context) };
    case 'WEBJS': {
      const data = webjsMessage(message, context);
      return {
        _data: data,
        id: data.id,
        ack: message.ack,
        hasMedia: message.media !== undefined,
        body: message.body,
        type: data.type,
        timestamp: Math.floor(message.timestampMs / 1000),
        from: context.meId,
        to: message.chatId,
        fromMe: true,
      };
    }
  }
}

/**
 * The payload of a reaction, which is less than a WAMessage. WEBJS counts fractions of seconds and names who reacted in a chat of
 * two as well.
 * @param target what was reacted to, as far as it is stored
 */
export function reactionPayload(
  message: Message,
  target: Message | undefined,
  context: AnswerContext,
): Record<string, unknown> {
  const webjs = context.engine === 'WEBJS';
  const participant = message.fromMe ? context.meId : (message.participant ?? message.chatId);
  return {
    id: serializedId(message, context.meId),
    timestamp: webjs ? message.timestampMs / 1000 : Math.floor(message.timestampMs / 1000),
    ...addresses(message, message.chatId, context),
    ...(webjs ? { participant } : {}),
    source: message.source,
    reaction: {
      text: message.body,
      messageId: target === undefined ? message.targetId : serializedId(target, context.meId),
    },
  };
}

/** The payload of an ack; `chatId` may be the hidden id although the send was answered with the phone's. */
export function ackPayload(message: Message, chatId: string, context: AnswerContext): Record<string, unknown> {
  return {
    id: serializedId(message, context.meId, chatId),
    ...addresses(message, chatId, context),
    ack: message.ack,
    ackName: ackName(message.ack),
  };
}

/** The raw form of a message inside `_data`. */
function rawMessage(message: Message, context: AnswerContext): Record<string, unknown> {
  switch (context.engine) {
    case 'NOWEB':
      return baileysMessage(message);
    case 'GOWS':
      return whatsmeowMessage(message, context);
    case 'WEBJS':
      return webjsMessage(message, context);
  }
}

function addresses(message: Message, chatId: string, context: AnswerContext): Record<string, unknown> {
  const participant = isGroup(chatId)
    ? { participant: message.participant ?? (message.fromMe ? context.meId : null) }
    : {};
  if (context.engine === 'WEBJS') {
    const [from, to] = message.fromMe ? [context.meId, chatId] : [chatId, context.meId];
    return { from, fromMe: message.fromMe, to, ...participant };
  }
  const to = isGroup(chatId) ? { to: context.engine === 'NOWEB' ? chatId : participant.participant } : {};
  return { from: chatId, fromMe: message.fromMe, ...to, ...participant };
}

function mediaOf(message: Message, context: AnswerContext): Record<string, unknown> | null {
  if (message.media === undefined) return null;
  const { mimetype, filename } = message.media;
  return { url: `${context.filesUrl}/${fileNameOf(message.bareId, mimetype)}`, filename, mimetype };
}

function fileNameOf(bareId: string, mimetype: string): string {
  return `${bareId}.${/\/([a-z0-9]+)/.exec(mimetype)?.[1] ?? 'bin'}`;
}

function baileysMessage(message: Message): Record<string, unknown> {
  const key = {
    remoteJid: toJid(message.chatId),
    fromMe: message.fromMe,
    id: message.bareId,
    ...(message.participant === undefined ? {} : { participant: toJid(message.participant) }),
    ...(message.phoneChatId === undefined ? {} : { remoteJidAlt: toJid(message.phoneChatId) }),
  };
  const seconds = Math.floor(message.timestampMs / 1000);
  if (message.fromMe) {
    const status = BAILEYS_STATUS[message.ack] ?? 'ERROR';
    return { key, message: rawContent(message), messageTimestamp: String(seconds), status };
  }
  const { pushName } = message;
  return { key, messageTimestamp: seconds, pushName, broadcast: false, message: rawContent(message), status: 3 };
}

function whatsmeowMessage(message: Message, context: AnswerContext): Record<string, unknown> {
  const author = message.fromMe ? (context.meId ?? '') : (message.participant ?? message.chatId);
  return {
    Info: {
      Chat: toJid(message.chatId),
      Sender: toJid(author),
      IsFromMe: message.fromMe,
      IsGroup: isGroup(message.chatId),
      AddressingMode: message.chatId.endsWith('@lid') ? 'lid' : 'pn',
      SenderAlt: message.phoneChatId === undefined ? '' : toJid(message.phoneChatId),
      ID: message.bareId,
      Type: message.type === 'text' ? 'text' : 'media',
      PushName: message.pushName ?? '',
      Timestamp: new Date(message.timestampMs).toISOString(),
    },
    Message: rawContent(message),
  };
}

const WEBJS_TYPES = {
  text: 'chat',
  image: 'image',
  file: 'document',
  voice: 'ptt',
  video: 'video',
  location: 'location',
  contact: 'vcard',
  poll: 'poll_creation',
  reaction: 'reaction',
} as const;

function webjsMessage(message: Message, context: AnswerContext) {
  const [from, to] = message.fromMe ? [context.meId, message.chatId] : [message.chatId, context.meId];
  return {
    id: {
      fromMe: message.fromMe,
      remote: message.chatId,
      id: message.bareId,
      _serialized: serializedId(message, context.meId),
    },
    type: WEBJS_TYPES[message.type],
    body: message.body,
    t: Math.floor(message.timestampMs / 1000),
    notifyName: message.pushName,
    from,
    to,
    ack: message.ack,
  };
}
