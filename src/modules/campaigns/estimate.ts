import type { Pace } from '../../common/pace';

const DAY_S = 86_400;

/** What a number of messages meets on its way out of one session. */
export interface Load {
  messages: number;
  /** Of these, first contacts. */
  firsts: number;
  /** The campaign's own bound, messages a minute; null where only the session's counts. */
  perMinute: number | null;
}

/**
 * About how many seconds the session needs for them, if it sends nothing else: by the minute, the day (of which a tenth is
 * kept for replies) and the first contacts of a day. Warming up and quiet hours are not reckoned with.
 */
export function secondsFor({ messages, firsts, perMinute }: Load, pace: Pace): number {
  const rate = Math.min(pace.per_minute, perMinute ?? Infinity);
  const perDay = pace.daily_cap - Math.floor(pace.daily_cap / 10);
  return Math.max(
    spread(messages, perDay, (count) => (count * 60) / rate),
    firsts === 0 ? 0 : spread(firsts, pace.first_contacts_per_day, (count) => (count * 60) / rate),
  );
}

/**
 * Whole days for as many as a day takes, and what the rest of them takes on the last; where a day has no time for as many as
 * it may take, only the time counts.
 */
function spread(count: number, perDay: number, seconds: (count: number) => number): number {
  if (count === 0) return 0;
  if (perDay === 0) return Infinity;
  if (seconds(perDay) >= DAY_S) return seconds(count);
  const days = Math.floor((count - 1) / perDay);
  return days * DAY_S + seconds(count - days * perDay);
}
