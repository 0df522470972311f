import { CommonErrors } from './common.errors';
import { TEXT_ID } from './ids';
import { MAX_OFFSET } from './paging';

/** Where a page of an ordered list begins: after the row with this value of what it is ordered by, and this id. */
export interface Keyset {
  value: string;
  id: string;
  /** How many rows that fit are to be skipped first: what is left of an offset that was not used up yet. */
  skip?: number;
}

/** An opaque cursor: the order it belongs to, the value and the id of the last row shown or looked at, and what is left of an offset. */
export const keysetCursor = (order: string, { value, id, skip = 0 }: Keyset): string =>
  Buffer.from(JSON.stringify([order, value, id, ...(skip > 0 ? [skip] : [])])).toString('base64url');

/**
 * What the cursor says; undefined where there is none.
 * @throws VALIDATION_FAILED naming `cursor` for what is no cursor of this order
 */
export function keysetOf(
  cursor: string | undefined,
  order: string,
  isValue: (value: string) => boolean,
): Keyset | undefined {
  if (cursor === undefined) return undefined;
  const [of, value, id, skip = 0, ...more] = partsOf(cursor);
  const sound =
    of === order && typeof value === 'string' && typeof id === 'string' && TEXT_ID.test(id) && more.length === 0;
  if (!sound || value.includes('\0') || !value.isWellFormed() || !isValue(value) || !isSkip(skip))
    throw CommonErrors.invalidField('cursor', 'cursor must be one of the Link header of a page in the same order');
  return { value, id, skip };
}

const isSkip = (skip: unknown): skip is number =>
  Number.isInteger(skip) && Number(skip) >= 0 && Number(skip) <= MAX_OFFSET;

function partsOf(cursor: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(parts) ? parts : [];
  } catch {
    return [];
  }
}
