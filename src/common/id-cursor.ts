import { isId } from './ids';
import { MAX_OFFSET } from './paging';

/** Where a page of a list in the order of ids begins: after this id, and after so many more rows that fit. */
export interface IdPlace {
  id: string;
  /** What is left of an offset that was not used up yet. */
  skip: number;
}

const WRITTEN = /^([^.]*)(?:\.([1-9]\d{0,5}))?$/;

/** As clients see it: the id, and behind a dot what is left of the offset. */
export const idCursor = ({ id, skip }: IdPlace): string => (skip > 0 ? `${id}.${skip}` : id);

/** Null for a text that is none. */
export function idPlaceOf(cursor: string): IdPlace | null {
  const [, id = '', skip = '0'] = WRITTEN.exec(cursor) ?? [];
  return isId(id) && Number(skip) <= MAX_OFFSET ? { id, skip: Number(skip) } : null;
}
