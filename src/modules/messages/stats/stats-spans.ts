import { offsetMinutesIn } from '../../../common/days';

/** The minutes of the spans that figures are kept for, the longest first; all are counted from 1970 on (UTC). */
const SPANS = [23040, 1440, 60, 15] as const;
export type Span = (typeof SPANS)[number];

const MINUTE_MS = 60_000;
const QUARTER_MS = 15 * MINUTE_MS;
const DAY_MS = 1440 * MINUTE_MS;

/** A stretch of time that is read by spans of one length: both ends lie on their bounds. */
export interface Piece {
  span: Span;
  from: Date;
  to: Date;
}

/** A stretch of time; `to` is not in it any more. */
export interface Stretch {
  from: Date;
  to: Date;
}

/** The whole quarters of an hour that have a part in it. */
export const wholeQuarters = ({ from, to }: Stretch): Stretch => ({
  from: new Date(Math.floor(from.getTime() / QUARTER_MS) * QUARTER_MS),
  to: new Date(Math.ceil(to.getTime() / QUARTER_MS) * QUARTER_MS),
});

/** The stretch (of whole quarters) in as long spans as lie in it, none longer than that; in order, without gap or overlap. */
export function piecesOf({ from, to }: Stretch, longest: Span): Piece[] {
  const spans = SPANS.filter((span) => span <= longest);
  return cut(from.getTime(), to.getTime(), spans).map(([span, a, b]) => ({ span, from: new Date(a), to: new Date(b) }));
}

function cut(from: number, to: number, [span, ...shorter]: Span[]): [Span, number, number][] {
  if (from >= to || span === undefined) return [];
  if (shorter.length === 0) return [[span, from, to]];
  const step = span * MINUTE_MS;
  const [first, last] = [Math.ceil(from / step) * step, Math.floor(to / step) * step];
  if (first >= last) return cut(from, to, shorter);
  return [...cut(from, first, shorter), [span, first, last], ...cut(last, to, shorter)];
}

/** The longest span of which none lies in two hours, or two days, of the time zone. */
export function longestWithin(groupBy: 'hour' | 'day', timeZone: string, { from, to }: Stretch): Span {
  let longest: Span = groupBy === 'day' ? 1440 : 60;
  for (let at = from.getTime(); at < to.getTime() + DAY_MS; at += DAY_MS) {
    const offset = offsetMinutesIn(timeZone, new Date(at));
    if (offset % 60 !== 0) return 15;
    if (offset !== 0) longest = 60;
  }
  return longest;
}
