/** One page of a list and where the next one begins. */
export interface Page<T> {
  items: T[];
  /** Opaque cursor of the next page; null on the last one. */
  nextCursor: string | null;
  /** Whether only the cursor leads on, also where `offset` was asked for. */
  byCursor?: boolean;
  /** Present when the caller asked for `count=true`: exact up to 10,000, then `10000+`. */
  total?: string;
}

/** What a list is asked for: at most `limit` rows after the cursor, or after `offset` rows. */
export interface PageRequest {
  limit: number;
  offset?: number;
  cursor?: string;
  count?: boolean;
}

/** Rows that one page may have. */
export const MAX_LIMIT = 100;

/** Rows that `offset` may skip: the database reads each of them. Cursors go on from there. */
export const MAX_OFFSET = 10_000;

/** Counting stops here: an exact count of a large table costs more than anybody needs it (docs/decisions). */
export const COUNT_CAP = 10_000;

/** `X-Total-Count` of a count that was stopped after COUNT_CAP + 1 rows. */
export const totalOf = (counted: number): string => (counted > COUNT_CAP ? `${COUNT_CAP}+` : String(counted));

/** Cuts the one row too many that tells whether there is a next page; the cursor is that of the last row kept: its id, unless told otherwise. */
export function pageOf<T extends { id: string }>(
  rows: T[],
  limit: number,
  cursorOf: (row: T) => string = ({ id }) => id,
): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last ? cursorOf(last) : null };
}

/**
 * A page with its total where that was asked for; both are read at once.
 * @param rows one more than asked for
 * @param count how many there are, counted no further than the cap
 */
export async function countedPage<Row extends { id: string }>(
  request: PageRequest,
  rows: Promise<Row[]>,
  count: (cap: number) => Promise<number>,
  cut: (rows: Row[], limit: number) => Page<Row> = pageOf,
): Promise<Page<Row>> {
  const [found, counted] = await Promise.all([rows, request.count ? count(COUNT_CAP + 1) : null]);
  return { ...cut(found, request.limit), ...(counted === null ? {} : { total: totalOf(counted) }) };
}
