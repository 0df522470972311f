export type { MessageChange, MessageEdit, MessageReaction } from './client/message-changes';
export type { WahaMessage } from './client/waha-answers';
import {
  editOf,
  type MessageChange,
  type MessageEdit,
  type MessageReaction,
  reactionOf,
  revocationOf,
} from './client/message-changes';
import { newChatsClosedUntil } from './client/new-chats';
import { ackStatus, me, parseMessageId, wahaMessage, type WahaMessage } from './client/waha-answers';

/** An event of a session, in our words; what we do not act on (yet) is `ignored`, on purpose and with its reason. */
export type WahaEvent =
  | {
      kind: 'session.status';
      status: string;
      at: Date;
      from: 'event';
      phone: string | null;
      pushName: string | null;
      /** Until when WhatsApp lets it write to nobody new; null: it lets it again; absent: nothing is said of it. */
      newChatsClosedUntil?: Date | null;
    }
  | { kind: 'message'; message: WahaMessage }
  | { kind: 'ack'; waId: string; chat: string; status: 'failed' | 'sent' | 'delivered' | 'read' | 'played'; at: Date }
  | { kind: 'edit'; edit: MessageEdit }
  | { kind: 'revocation'; revocation: MessageChange }
  | { kind: 'reaction'; reaction: MessageReaction }
  | Ignored;

interface Ignored {
  kind: 'ignored';
  reason: string;
}

/** The envelope that WAHA posts (docs/WAHA.md §5), as far as the door must know it. */
export interface WahaEnvelope {
  id: string;
  event: string;
  session: string;
}

interface FullEnvelope extends WahaEnvelope {
  timestamp?: unknown;
  payload?: unknown;
  me?: unknown;
}

/** What WAHA calls events, sessions and ids; the columns that keep them are no wider. */
const NAME = /^[\x21-\x7e]{1,128}$/;
const EVENT_NAME = /^[\x21-\x7e]{1,64}$/;
const isText = (value: unknown, pattern: RegExp): boolean => typeof value === 'string' && pattern.test(value);

/** Reads the envelope of a webhook body; null when it is not one. */
export function parseEnvelope(body: string): WahaEnvelope | null {
  let envelope: Partial<FullEnvelope> | null;
  try {
    envelope = JSON.parse(body) as Partial<FullEnvelope> | null;
  } catch {
    return null;
  }
  const { id, event, session } = envelope ?? {};
  const named = isText(id, NAME) && isText(event, EVENT_NAME) && isText(session, NAME);
  return named ? (envelope as WahaEnvelope) : null;
}

/** What a stored event body says. @throws SyntaxError when it is not JSON. */
export function parseEvent(body: string): WahaEvent {
  const envelope = JSON.parse(body) as FullEnvelope;
  const at = new Date(Number(envelope.timestamp) || Date.now());
  const payload = (envelope.payload ?? {}) as Record<string, unknown>;
  switch (envelope.event) {
    case 'session.status':
      if (typeof payload.status !== 'string') return ignored('no status in it');
      return {
        ...{ kind: 'session.status', status: payload.status.slice(0, 64), at, from: 'event', ...me(envelope.me) },
        newChatsClosedUntil: newChatsClosedUntil(payload.data),
      };
    case 'message':
    case 'message.any': {
      const message = wahaMessage(payload);
      return message ? { kind: 'message', message } : ignored('no message id in it');
    }
    case 'message.ack':
    case 'message.ack.group': // one for each participant: the message is where the furthest of them is
      return ackEvent(payload, at);
    default:
      return changeEvent(envelope.event, payload, at) ?? ignored(`${envelope.event} is not acted on`);
  }
}

const ignored = (reason: string): Ignored => ({ kind: 'ignored', reason });

/** What somebody did to a message that is there; null when the event tells of nothing such. */
function changeEvent(event: string, payload: Record<string, unknown>, told: Date): WahaEvent | null {
  switch (event) {
    case 'message.edited': {
      const edit = editOf(payload, told);
      return edit ? { kind: 'edit', edit } : ignored('no message id or no text in it');
    }
    case 'message.revoked': {
      const revocation = revocationOf(payload, told);
      return revocation ? { kind: 'revocation', revocation } : ignored('no message id in it');
    }
    case 'message.reaction': {
      const reaction = reactionOf(payload, told);
      return reaction ? { kind: 'reaction', reaction } : ignored('no message id or no emoji in it');
    }
    default:
      return null;
  }
}

function ackEvent(payload: Record<string, unknown>, at: Date): WahaEvent {
  const id = parseMessageId(payload.id);
  const status = ackStatus(payload.ack);
  if (!id) return ignored('no message id in it');
  if (!id.fromMe) return ignored('ack of a message that is not ours');
  if (!status) return ignored('ack level says nothing new');
  return { kind: 'ack', waId: id.waId, chat: id.chat, status, at };
}
