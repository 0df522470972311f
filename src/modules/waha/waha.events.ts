export type { WahaMessage } from './client/waha-answers';
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
    }
  | { kind: 'message'; message: WahaMessage }
  | { kind: 'ack'; waId: string; status: 'failed' | 'sent' | 'delivered' | 'read' | 'played'; at: Date }
  | { kind: 'ignored'; reason: string };

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
      if (typeof payload.status !== 'string') return { kind: 'ignored', reason: 'no status in it' };
      return { kind: 'session.status', status: payload.status.slice(0, 64), at, from: 'event', ...me(envelope.me) };
    case 'message':
    case 'message.any': {
      const message = wahaMessage(payload);
      return message ? { kind: 'message', message } : { kind: 'ignored', reason: 'no message id in it' };
    }
    case 'message.ack':
    case 'message.ack.group': // one for each participant: the message is where the furthest of them is
      return ackEvent(payload, at);
    default:
      return { kind: 'ignored', reason: `${envelope.event} is not acted on` };
  }
}

function ackEvent(payload: Record<string, unknown>, at: Date): WahaEvent {
  const id = parseMessageId(payload.id);
  const status = ackStatus(payload.ack);
  if (!id) return { kind: 'ignored', reason: 'no message id in it' };
  if (!id.fromMe) return { kind: 'ignored', reason: 'ack of a message that is not ours' };
  if (!status) return { kind: 'ignored', reason: 'ack level says nothing new' };
  return { kind: 'ack', waId: id.waId, status, at };
}
