import { types, type CustomTypesConfig } from 'pg';

const TIMESTAMPTZ: number = types.builtins.TIMESTAMPTZ;
const parseAny = types.getTypeParser(TIMESTAMPTZ) as (text: string) => Date | number | null;

/** Two digits at the place: 528 is '0' in both. */
const two = (text: string, at: number): number => text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 528;

/**
 * A `timestamptz` as pg gives it, whole milliseconds of it. What PostgreSQL writes in UTC, `2026-11-21 07:46:12.888123+00`,
 * is read by place, in a quarter of the time; a page of a list has some hundred of them. All else (other zones, years before
 * 1000 and beyond 9999, infinity) goes to pg.
 */
export function parseTimestamp(text: string): Date | number | null {
  const inUtc = text.charAt(4) === '-' && text.charAt(10) === ' ' && text.charAt(0) !== '0' && text.endsWith('+00');
  if (!inUtc) return parseAny(text);
  const end = Math.min(text.length - 3, 23);
  let ms = 0;
  for (let at = 20, weight = 100; at < end; at += 1, weight /= 10) ms += (text.charCodeAt(at) - 48) * weight;
  const year = two(text, 0) * 100 + two(text, 2);
  const month = two(text, 5) - 1;
  return new Date(Date.UTC(year, month, two(text, 8), two(text, 11), two(text, 14), two(text, 17), ms));
}

/** How values come out of the database: as pg has it, but for the times. */
export const VALUE_TYPES: CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === TIMESTAMPTZ && format !== 'binary'
      ? parseTimestamp
      : (types.getTypeParser(oid, format) as unknown)) as typeof types.getTypeParser,
};
