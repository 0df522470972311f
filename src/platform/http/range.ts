import type { ByteRange } from '../storage/object-storage';

const SPAN = /^bytes=(\d+)-(\d*)$/;
const SUFFIX = /^bytes=-(\d+)$/;

/**
 * The part that a `Range` header asks for (RFC 9110 §14.2): null for the whole, which is also the answer to several ranges at
 * once and to units that nobody knows; `unsatisfiable` where nothing of it is there.
 */
export function rangeOf(header: string | undefined, sizeBytes: number): ByteRange | null | 'unsatisfiable' {
  const range = spanOf(header ?? '', sizeBytes);
  if (range === null) return null;
  return range.first <= range.last ? range : 'unsatisfiable';
}

function spanOf(header: string, sizeBytes: number): ByteRange | null {
  const suffix = SUFFIX.exec(header)?.[1];
  if (suffix !== undefined) return { first: Math.max(0, sizeBytes - Number(suffix)), last: sizeBytes - 1 };
  const [, from, to = ''] = SPAN.exec(header) ?? [];
  if (from === undefined) return null;
  const first = Number(from);
  const last = to === '' ? Infinity : Number(to);
  return last < first ? null : { first, last: Math.min(last, sizeBytes - 1) };
}
