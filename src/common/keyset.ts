import { CommonErrors } from './common.errors';
import { TEXT_ID } from './ids';

/** Where a page of an ordered list begins: after the row with this value of what it is ordered by, and this id. */
export interface Keyset {
  value: string;
  id: string;
}

/** An opaque cursor: the order it belongs to, the value and the id of the last row shown. */
export const keysetCursor = (order: string, { value, id }: Keyset): string =>
  Buffer.from(JSON.stringify([order, value, id])).toString('base64url');

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
  const [of, value, id, ...more] = partsOf(cursor);
  const sound =
    of === order && typeof value === 'string' && typeof id === 'string' && TEXT_ID.test(id) && more.length === 0;
  if (!sound || value.includes('\0') || !value.isWellFormed() || !isValue(value))
    throw CommonErrors.invalidField('cursor', 'cursor must be one of the Link header of a page in the same order');
  return { value, id };
}

function partsOf(cursor: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(parts) ? parts : [];
  } catch {
    return [];
  }
}
