import { ImportErrors } from './imports.errors';
import type { ImportKind } from './import-kind';
import { isSoundCsv, headerOf } from './rows';
import { type Place, recordsOf, type RecordRule } from './records';
import type { Readable } from 'node:stream';
import type { ImportFormat } from './imports.repository';

export const ruleOf = (format: ImportFormat): RecordRule => ({ quotes: format === 'csv', sound: isSoundCsv });

/** What the first line of a table says. */
export interface Header {
  names: string[];
  /** Where the first row begins. */
  next: Place;
}

/** The header of a table. @throws VALIDATION_FAILED for none, an unknown column, one twice, or none of ids */
export async function readHeader(stream: Readable, kind: ImportKind): Promise<Header> {
  for await (const { bytes, fault, next } of recordsOf(stream, ruleOf('csv'), { byte: 0, line: 0 })) {
    const names = fault === undefined ? headerOf(bytes) : null;
    if (!names) throw ImportErrors.noHeader();
    checkNames(names, kind);
    return { names, next };
  }
  throw ImportErrors.empty();
}

function checkNames(names: string[], kind: ImportKind): void {
  const known = Object.keys(kind.columns);
  const stranger = names.findIndex((name) => !known.includes(name));
  if (stranger !== -1)
    throw ImportErrors.badHeader(
      `body names a column that is not known, the ${stranger + 1}. one: there are ${known.join(', ')}`,
    );
  if (new Set(names).size < names.length) throw ImportErrors.badHeader('body names a column twice');
  if (!names.includes('id')) throw ImportErrors.badHeader('body must name the column id');
}
