/** Every event name that WAHA knows, in its own order. */
export const EVENT_NAMES = [
  'session.status',
  'message',
  'message.reaction',
  'message.any',
  'message.ack',
  'message.ack.group',
  'message.waiting',
  'message.revoked',
  'message.edited',
  'state.change',
  'group.join',
  'group.leave',
  'group.v2.join',
  'group.v2.leave',
  'group.v2.update',
  'group.v2.participants',
  'group.v2.participants.join-request',
  'presence.update',
  'poll.vote',
  'poll.vote.failed',
  'chat.archive',
  'call.received',
  'call.accepted',
  'call.rejected',
  'label.upsert',
  'label.deleted',
  'label.chat.added',
  'label.chat.deleted',
  'event.response',
  'event.response.failed',
  'engine.event',
] as const;

/** The name of an event. */
export type EventName = (typeof EVENT_NAMES)[number];

/** Whether a webhook with these event names wants the event; `*` is everything but state.change and engine.event. */
export function wantsEvent(wanted: readonly string[], name: EventName): boolean {
  if (wanted.includes(name)) return true;
  return wanted.includes('*') && name !== 'state.change' && name !== 'engine.event';
}
