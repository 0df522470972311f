import { Readable } from 'node:stream';
import { type StorageBounds, storageFull } from '../../platform/usage/storage-quota';
import { readHeader } from './header';
import type { ImportKind } from './import-kind';
import { ImportErrors } from './imports.errors';
import type { ImportFormat } from './imports.repository';
import { LONGEST_RECORD_BYTES } from './records';

/** A file as it comes in. */
export interface ImportFile {
  format: ImportFormat;
  stream: Readable;
}

/**
 * The file as it comes in, looked at as far as its first line: what can be no import is refused before it is stored, and what
 * the tenant has no room for before it is stored to its end.
 * @throws VALIDATION_FAILED from within the stream: an empty file, a header that is none; PLAN_LIMIT_REACHED
 */
export function checkedUpload({ format, stream }: ImportFile, kind: ImportKind, bounds: StorageBounds): Readable {
  return Readable.from(pieces(within(stream, bounds), kind, format), { objectMode: false });
}

async function* within(stream: Readable, { freeBytes, limitBytes }: StorageBounds): AsyncGenerator<Buffer> {
  let seen = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    seen += chunk.length;
    if (seen > freeBytes) throw storageFull(limitBytes ?? 0);
    yield chunk;
  }
}

async function* pieces(chunks: AsyncIterable<Buffer>, kind: ImportKind, format: ImportFormat): AsyncGenerator<Buffer> {
  let head: Buffer | null = Buffer.alloc(0);
  for await (const chunk of chunks) {
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
