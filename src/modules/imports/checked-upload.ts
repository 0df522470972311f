import { Readable } from 'node:stream';
import { readHeader } from './header';
import type { ImportKind } from './import-kind';
import { ImportErrors } from './imports.errors';
import type { ImportFormat } from './imports.repository';
import { LONGEST_RECORD_BYTES } from './records';

/**
 * The file as it comes in, looked at as far as its first line: what can be no import is refused before it is stored.
 * @throws VALIDATION_FAILED from within the stream: an empty file, a header that is none
 */
export function checkedUpload(stream: Readable, kind: ImportKind, format: ImportFormat): Readable {
  return Readable.from(pieces(stream, kind, format), { objectMode: false });
}

async function* pieces(stream: Readable, kind: ImportKind, format: ImportFormat): AsyncGenerator<Buffer> {
  let head: Buffer | null = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    head = head && Buffer.concat([head, chunk]);
    if (head && !hasLine(head)) continue;
    if (head) await check(head, kind, format);
    yield head ?? chunk;
    head = null;
  }
  if (!head) return;
  await check(head, kind, format);
  yield head;
}

/** Whether its first line is there, or too long to be one. */
const hasLine = (head: Buffer): boolean =>
  head.length > LONGEST_RECORD_BYTES || head.toString('latin1').trimStart().includes('\n');

async function check(head: Buffer, kind: ImportKind, format: ImportFormat): Promise<void> {
  if (format === 'csv') await readHeader(Readable.from([head]), kind);
  else if (head.toString('latin1').trim() === '') throw ImportErrors.empty();
}
