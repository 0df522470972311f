/** Every status that a message can have. Inbound messages are `received` and stay so. */
export const MESSAGE_STATUSES = [
  'queued',
  'sending',
  'sent',
  'delivered',
  'read',
  'played',
  'failed',
  'cancelled',
  'unknown',
  'received',
] as const;
export type MessageStatus = (typeof MESSAGE_STATUSES)[number];

/**
 * The one transition table (docs/ARCHITECTURE.md shows it). An ack outranks every end that we wrote ourselves and never goes
 * down: so webhooks that come early, late, twice or out of order change nothing wrongly. What leads back to `queued` is a
 * retry: from an attempt that is known not to have left, or that WAHA says it never saw.
 */
export const TRANSITIONS: Record<MessageStatus, readonly MessageStatus[]> = {
  queued: ['sending', 'sent', 'delivered', 'read', 'played', 'failed', 'cancelled'],
  sending: ['queued', 'sent', 'delivered', 'read', 'played', 'failed', 'unknown'],
  unknown: ['queued', 'sent', 'delivered', 'read', 'played', 'failed'],
  failed: ['sent', 'delivered', 'read', 'played'],
  cancelled: ['sent', 'delivered', 'read', 'played'],
  sent: ['delivered', 'read', 'played', 'failed'],
  delivered: ['read', 'played'],
  read: ['played'],
  played: [],
  received: [],
};

/** The statuses from which a message may go to this one. */
export const sourcesOf = (target: MessageStatus): MessageStatus[] =>
  MESSAGE_STATUSES.filter((status) => TRANSITIONS[status].includes(target));
