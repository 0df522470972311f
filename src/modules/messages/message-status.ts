/** Every status that a message can have. Inbound messages are `received` and stay so. */
export const MESSAGE_STATUSES = [
  'scheduled',
  'queued',
  'sending',
  'sent',
  'delivered',
  'read',
  'played',
  'failed',
  'cancelled',
  'suppressed',
  'expired',
  'unknown',
  'stalled',
  'received',
] as const;
export type MessageStatus = (typeof MESSAGE_STATUSES)[number];

/**
 * The one transition table (docs/ARCHITECTURE.md shows it). An ack outranks every end that we wrote ourselves and never goes
 * down: so webhooks that come early, late, twice or out of order change nothing wrongly. What leads back to `queued` is a
 * retry: from an attempt that is known not to have left, or that WAHA says it never saw; from what failed or expired when
 * somebody asks for it, and from what may have been sent (`unknown`, `stalled`) when somebody insists. An attempt that is known
 * not to have left is `cancelled` where its session was deleted meanwhile.
 */
export const TRANSITIONS: Record<MessageStatus, readonly MessageStatus[]> = {
  scheduled: ['queued', 'cancelled', 'suppressed', 'expired', 'sent', 'delivered', 'read', 'played', 'failed'],
  queued: ['sending', 'sent', 'delivered', 'read', 'played', 'failed', 'cancelled', 'suppressed', 'expired'],
  sending: ['queued', 'sent', 'delivered', 'read', 'played', 'failed', 'cancelled', 'unknown'],
  unknown: ['queued', 'sent', 'delivered', 'read', 'played', 'failed'],
  failed: ['queued', 'sent', 'delivered', 'read', 'played'],
  cancelled: ['sent', 'delivered', 'read', 'played'],
  suppressed: ['sent', 'delivered', 'read', 'played'],
  expired: ['queued', 'sent', 'delivered', 'read', 'played'],
  sent: ['stalled', 'delivered', 'read', 'played', 'failed'],
  stalled: ['queued', 'sent', 'delivered', 'read', 'played', 'failed'],
  delivered: ['read', 'played'],
  read: ['played'],
  played: [],
  received: [],
};

/** What a retry by hand takes back to `queued`; what may have been sent only when it is forced. */
export const RETRIED = ['failed', 'expired'] as const satisfies readonly MessageStatus[];
export const RETRIED_BY_FORCE = ['unknown', 'stalled'] as const satisfies readonly MessageStatus[];

/** The statuses from which a message may go to this one. */
export const sourcesOf = (target: MessageStatus): MessageStatus[] =>
  MESSAGE_STATUSES.filter((status) => TRANSITIONS[status].includes(target));
