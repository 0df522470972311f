import type { MessageStatus } from './message-status';

/** What a list of messages is narrowed to; what is absent narrows nothing. */
export interface MessageFilter {
  sessionId?: string;
  /** Any id of the person, or of the group. */
  chat?: string;
  direction?: 'inbound' | 'outbound';
  status?: MessageStatus;
  type?: string;
  from?: Date;
  to?: Date;
  createdBy?: string;
  campaignId?: string;
  /** Words that its text holds, each somewhere, in whatever case. */
  q?: string;
}

/** How a list is read: through which part of the messages, in its order, and what is asked of each of them. */
export interface Walk {
  /** An index leads through these, newest first. */
  way: MessageFilter;
  /** No index does: each message on the way is looked at. */
  rest: MessageFilter;
}

/**
 * How many messages are looked at, in turn, until a page is full: most are full after the first. Of more at once the database
 * would rather read and sort all that there are.
 */
export const PORTIONS = [1_000, 4_000, 9_000, 9_000, 9_000, 9_000, 9_000] as const;
/** And so in all: what a page may cost, whatever it looks for and however long the history is. */
export const LOOKED_THROUGH = PORTIONS.reduce<number>((sum, portion) => sum + portion, 0);

/** Most messages are so, or pass through it: an index of them would cost each of them. They are found on the way. */
const COMMON: readonly (string | undefined)[] = ['sent', 'delivered', 'read', 'text'];
/** What few messages come to, and by itself: these have an index of their session as well. */
const FEW: readonly (string | undefined)[] = [
  ...['failed', 'unknown', 'cancelled', 'expired', 'suppressed', 'stalled', 'scheduled'],
];

/** What an index leads through in the order of lists: all of these, and not without what the condition asks for. */
interface Lead {
  names: readonly (keyof MessageFilter)[];
  where?: (filter: MessageFilter) => boolean;
}

/** The narrowest first: one of them leads. */
const LEADS: readonly Lead[] = [
  { names: ['chat'] },
  { names: ['campaignId'] },
  { names: ['createdBy'] },
  { names: ['sessionId', 'status'], where: ({ status }) => FEW.includes(status) },
  // One in a session at most: fewer in all than any session has messages.
  { names: ['status'], where: ({ status }) => status === 'sending' },
  { names: ['sessionId', 'direction'] },
  { names: ['sessionId'] },
  { names: ['status'], where: ({ status }) => !COMMON.includes(status) },
  { names: ['type'], where: ({ type }) => !COMMON.includes(type) },
];

/** The way of what leads; the other filters are looked for on it. Times bound every way. */
export function walkOf({ from, to, ...asked }: MessageFilter): Walk {
  const filter = oneWordOf(asked);
  const leads = LEADS.find(
    ({ names, where }) => names.every((name) => filter[name] !== undefined) && (where?.(filter) ?? true),
  );
  const way: MessageFilter = { from, to };
  const rest: MessageFilter = { ...filter };
  for (const name of leads?.names ?? []) {
    Object.assign(way, { [name]: filter[name] });
    delete rest[name];
  }
  for (const name of Object.keys(rest) as (keyof typeof rest)[]) if (rest[name] === undefined) delete rest[name];
  return { way, rest };
}

/** What was received has this status, and nothing else has it: of a session its direction leads, of all sessions the status. */
function oneWordOf(filter: MessageFilter): MessageFilter {
  const { sessionId, direction, status } = filter;
  const received = status === 'received' ? direction !== 'outbound' : direction === 'inbound' && status === undefined;
  if (!received) return filter;
  return sessionId === undefined
    ? { ...filter, direction: undefined, status: 'received' }
    : { ...filter, direction: 'inbound', status: undefined };
}

/** Patterns of the words, each of which the text must hold; what has a meaning in patterns has none. */
export const patternsOf = (q: string | undefined): string[] | undefined =>
  q === undefined
    ? undefined
    : q
        .trim()
        .split(/\s+/)
        .map((word) => `%${word.replace(/[\\%_]/g, '\\$&')}%`);
