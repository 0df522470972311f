import type { ErrorDetail } from '../../common/app-error';
import { isWrittenNumber } from '../../common/written-numbers';

/** Deeper than anybody writes by hand, and far from the depth at which recursive readers of JSON run out of stack. */
const MAX_DEPTH = 64;

interface Part {
  value: unknown;
  path: string;
  depth: number;
}

/**
 * What of a body or query cannot be stored as it is: a text (or key) with a NUL or with half of a surrogate pair in it, both
 * of which JSON can say and PostgreSQL cannot; a number so large that it was read as infinite (`1e400`), which would be stored
 * as null, or one that would be stored as another (written-numbers.ts); or what is nested deeper than 64 levels. Null when all can
 * be. A key is named by what it stands in. Walks without recursion, because a body may be nested as deep as it is long.
 */
export function unstorableField(body: unknown): ErrorDetail | null {
  const open: Part[] = [{ value: body, path: '', depth: 0 }];
  for (let part = open.pop(); part; part = open.pop()) {
    const field = part.path || 'body';
    const fault = faultOf(part);
    if (fault) return { field, message: `${field} must not ${fault}` };
    if (part.depth > MAX_DEPTH) {
      const outermost = field.split('.', 1)[0] ?? field;
      return { field: outermost, message: `${outermost} must not be nested deeper than ${MAX_DEPTH} levels` };
    }
    for (const inner of partsOf(part)) open.push(inner); // a list may be longer than a call takes arguments
  }
  return null;
}

function partsOf({ value, path, depth }: Part): Part[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value as Record<string, unknown>).map(([key, inner]) => ({
    value: inner,
    path: path ? `${path}.${key}` : key,
    depth: depth + 1,
  }));
}

const BAD_TEXT = 'contain NUL or half of a surrogate pair';
const BAD_NUMBER = 'be a number that would be rounded; a text keeps every digit';

function faultOf({ value }: Part): string | null {
  if (isWrittenNumber(value)) return BAD_NUMBER;
  if (typeof value === 'string') return isSound(value) ? null : BAD_TEXT;
  if (typeof value === 'number') return Number.isFinite(value) ? null : 'be a number beyond the range of a double';
  return typeof value !== 'object' || value === null || Object.keys(value).every(isSound) ? null : BAD_TEXT;
}

const isSound = (text: string): boolean => !text.includes('\0') && text.isWellFormed();
