import { type Page, pageOf } from './paging';

/** The last row of a page of a list that goes by time and, within one time, by id. */
export interface TimeCursor {
  /** With all its microseconds, which a Date has not: `2026-11-24T23:00:00.123456Z`. */
  at: string;
  id: string;
}

const WRITTEN = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z) (.{1,64})$/;

/** As clients see it: opaque, and safe in addresses. */
export const timeCursor = ({ at, id }: TimeCursor): string => Buffer.from(`${at} ${id}`).toString('base64url');

/** Null for a text that is none. */
export function parseTimeCursor(text: string): TimeCursor | null {
  const [, at, id] = WRITTEN.exec(Buffer.from(text, 'base64url').toString()) ?? [];
  return at === undefined || id === undefined || Number.isNaN(Date.parse(at)) ? null : { at, id };
}

/** The time of a column as a cursor holds it. */
export const cursorTime = (column: string): string =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

/** Cuts the one row too many that tells whether there is a next page, as `pageOf` does; the cursor is that of the last row kept. */
export function pageByTime<T extends { id: string; cursor_at: string }>(rows: T[], limit: number): Page<T> {
  const page = pageOf(rows, limit);
  const last = page.items.at(-1);
  return page.nextCursor === null || !last
    ? page
    : { ...page, nextCursor: timeCursor({ at: last.cursor_at, id: last.id }) };
}
