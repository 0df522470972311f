import { authorOf, bareIdOf, isObject, messageIdOf, parseMessageId, text } from './waha-answers';

/** Something that somebody did to a message that was there already. */
export interface MessageChange {
  /** Bare id of the message that it was done to. */
  waId: string;
  /** Where; it may be another id of the message's own chat (`@lid`). */
  chat: string;
  /** Whether the session's own account did it, on the phone or through the API. */
  fromMe: boolean;
  /** Who did it, in a group; null in a chat of two. */
  author: string | null;
  /** WhatsApp's time. */
  at: Date;
}

export interface MessageEdit extends MessageChange {
  /** The new text. */
  body: string;
}

export interface MessageReaction extends MessageChange {
  /** Empty: the reaction is taken back. */
  emoji: string;
}

/** The longest emoji are families of joined people; what is longer is none. */
const MAX_EMOJI_LENGTH = 64;
const DAY_MS = 86_400_000;

/**
 * Reads `message.edited`; null without a message id or a text: WAHA gives an empty one where it could not decrypt the edit.
 * @param told when WAHA told it
 */
export function editOf(payload: unknown, told: Date): MessageEdit | null {
  if (!isObject(payload)) return null;
  const change = changeOf(payload, payload.editedMessageId, told);
  const body = text(payload.body);
  return change && body !== null ? { ...change, body } : null;
}

/** Reads `message.revoked`; null without a message id. @param told as above */
export function revocationOf(payload: unknown, told: Date): MessageChange | null {
  if (!isObject(payload)) return null;
  const { before, after, revokedMessageId } = payload;
  const revoked = revokedMessageId ?? (isObject(before) ? messageIdOf(before) : undefined);
  return changeOf(isObject(after) ? after : before, revoked, told);
}

/** Reads `message.reaction`; null where it names no message, or with something that is no emoji. @param told as above */
export function reactionOf(payload: unknown, told: Date): MessageReaction | null {
  if (!isObject(payload) || !isObject(payload.reaction)) return null;
  const { messageId, text: given } = payload.reaction;
  const emoji = text(given) ?? '';
  if (bareIdOf(messageId) === null || emoji.length > MAX_EMOJI_LENGTH) return null;
  const change = changeOf(payload, messageId, told);
  return change && { ...change, emoji };
}

/**
 * NOWEB and GOWS tell of a change as a message of its own, which names the one that it changes; WEBJS shows the changed message
 * itself, with the time of its sending.
 */
function changeOf(doing: unknown, changed: unknown, told: Date): MessageChange | null {
  if (!isObject(doing)) return null;
  const id = parseMessageId(messageIdOf(doing));
  if (!id) return null;
  const waId = bareIdOf(changed) ?? id.waId;
  const at = waId === id.waId ? told : momentOf(doing.timestamp, told);
  return { waId, chat: id.chat, fromMe: id.fromMe, author: authorOf(doing, id), at };
}

/** WhatsApp's time counts whole seconds: within one, what WAHA told later happened later. One of days ahead is no time. */
function momentOf(seconds: unknown, told: Date): Date {
  const at = Math.round(Number(seconds) * 1000);
  const toldMs = told.getTime();
  if (!(at > 0) || at > toldMs + DAY_MS) return told;
  return new Date(at % 1000 === 0 ? Math.min(Math.max(toldMs, at), at + 999) : at);
}
