import { offsetMinutesIn } from '../../../common/days';

const MINUTE_MS = 60_000;
const QUARTER_MS = 15 * MINUTE_MS;
const UNITS_MS = { hour: 60 * MINUTE_MS, day: 1440 * MINUTE_MS } as const;
const DAY_MS = UNITS_MS.day;

/** A stretch of time that is read by spans of one length (minutes): both ends lie on their bounds. */
export interface Piece {
  span: number;
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

/**
 * The stretch (of whole quarters) in as long spans as lie in it, of those lengths (the longest first, the last a quarter) and
 * none across one of the bounds (in order); in order, without gap or overlap.
 */
export function piecesOf({ from, to }: Stretch, spans: readonly number[], bounds: readonly number[] = []): Piece[] {
  const inside = bounds.filter((bound) => bound > from.getTime() && bound < to.getTime());
  const ends = [...inside, to.getTime()];
  const cuts = ends.flatMap((end, nth) => cut(ends[nth - 1] ?? from.getTime(), end, spans));
  return joined(cuts).map(([span, a, b]) => ({ span, from: new Date(a), to: new Date(b) }));
}

/** A length, and from when to when. */
type Cut = [number, number, number];

function cut(from: number, to: number, [span, ...shorter]: readonly number[]): Cut[] {
  if (from >= to || span === undefined) return [];
  if (shorter.length === 0) return [[span, from, to]];
  const step = span * MINUTE_MS;
  const [first, last] = [Math.ceil(from / step) * step, Math.floor(to / step) * step];
  if (first >= last) return cut(from, to, shorter);
  return [...cut(from, first, shorter), [span, first, last], ...cut(last, to, shorter)];
}

/** Neighbours of one length are one. */
function joined(cuts: Cut[]): Cut[] {
  const all: Cut[] = [];
  for (const [span, from, to] of cuts) {
    const last = all.at(-1);
    if (last?.[0] === span) last[2] = to;
    else all.push([span, from, to]);
  }
  return all;
}

/** When hours or days begin in the time zone, in order: of all that lie in the stretch, and some more where its clocks change. */
export function boundsOf(unit: 'hour' | 'day', timeZone: string, { from, to }: Stretch): number[] {
  const length = UNITS_MS[unit];
  const offsetAt = (at: number): number => offsetMinutesIn(timeZone, new Date(at)) * MINUTE_MS;
  const bounds: number[] = [];
  for (let day = from.getTime(); day < to.getTime(); day += DAY_MS) {
    const end = Math.min(day + DAY_MS, to.getTime());
    const offset = offsetAt(day);
    // Clocks change by quarters, and hours begin where they do.
    if (offset !== offsetAt(end)) bounds.push(...quartersBetween(day, end));
    else for (let at = Math.ceil((day + offset) / length) * length - offset; at < end; at += length) bounds.push(at);
  }
  return bounds;
}

const quartersBetween = (from: number, to: number): number[] =>
  Array.from({ length: (to - from) / QUARTER_MS }, (_, nth) => from + nth * QUARTER_MS);
