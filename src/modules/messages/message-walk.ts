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

/** Filters that have an index in the order of lists, the narrowest first: one of them leads. */
const LEADING = ['chat', 'campaignId', 'createdBy', 'sessionId', 'status', 'type'] as const;

/** Most messages are so, or pass through it: an index of them would cost each of them. They are found on the way. */
const COMMON: readonly (string | undefined)[] = ['sent', 'delivered', 'read', 'text'];

/** The way of one filter; the others are looked for on it. Times bound every way. */
export function walkOf({ from, to, ...asked }: MessageFilter): Walk {
  // What was received has this status, and nothing else has it.
  const filter =
    asked.direction === 'inbound' && asked.status === undefined
      ? { ...asked, direction: undefined, status: 'received' as const }
      : asked;
  const leading = LEADING.find((name) => filter[name] !== undefined && !COMMON.includes(filter[name]));
  const rest: MessageFilter = { ...filter };
  if (leading !== undefined) delete rest[leading];
  for (const name of Object.keys(rest) as (keyof typeof rest)[]) if (rest[name] === undefined) delete rest[name];
  return { way: { from, to, ...(leading === undefined ? {} : { [leading]: filter[leading] }) }, rest };
}

/** Patterns of the words, each of which the text must hold; what has a meaning in patterns has none. */
export const patternsOf = (q: string | undefined): string[] | undefined =>
  q === undefined
    ? undefined
    : q
        .trim()
        .split(/\s+/)
        .map((word) => `%${word.replace(/[\\%_]/g, '\\$&')}%`);
