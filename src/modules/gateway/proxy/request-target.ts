import type { AppError } from '../../../common/app-error';
import { ProxyErrors } from './proxy.errors';
import { PATH_BYTES_MAX } from './traffic-limits';

const SLASH = 0x2f;
const DOT = 0x2e;
const PERCENT = 0x25;
const QUESTION = 0x3f;
const SEMICOLON = 0x3b;

/** 1: may stand nowhere in a target: blanks, control bytes, what is not ASCII, `#` and the backslash. */
const FORBIDDEN = new Uint8Array(256).map((_, code) =>
  code <= 0x20 || code >= 0x7f || ['#', '\\'].includes(String.fromCharCode(code)) ? 1 : 0,
);

/** Encoded in a path they mean one thing to one server and another to the next: NUL, slash, backslash. */
const AMBIGUOUS = new Set([0x00, SLASH, 0x5c]);

const hexOf = (code: number): number => {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
};

/** The byte that is written as `%XX` at this place; -1 where none is, or one that may not be written so. */
function encodedAt(target: string, index: number): number {
  const high = hexOf(target.charCodeAt(index + 1));
  const low = hexOf(target.charCodeAt(index + 2));
  const code = high * 16 + low;
  return high < 0 || low < 0 || AMBIGUOUS.has(code) ? -1 : code;
}

function mayStandInQuery(target: string, from: number): boolean {
  for (let i = from; i < target.length; i += 1) {
    const code = target.charCodeAt(i);
    if (code > 0xff || FORBIDDEN[code] === 1) return false;
  }
  return true;
}

/**
 * Where the path ends, or -1 where the target is one that two servers may read differently: not beginning with one slash,
 * with empty or dot segments (raw, encoded, or before `;`), with an encoded NUL, slash or backslash, a broken encoding,
 * a fragment, or bytes that no address has.
 */
function endOfPath(target: string): number {
  let i = 0;
  /** Dots of the segment so far, as long as it is nothing but dots; -1 afterwards. */
  let dots = -1;
  for (; i < target.length; i += 1) {
    let code = target.charCodeAt(i);
    if (code === QUESTION) break;
    if (code > 0xff || FORBIDDEN[code] === 1) return -1;
    if (code === SLASH) {
      if (dots >= 0 && i > 0) return -1;
      dots = 0;
      continue;
    }
    if (code === PERCENT) {
      code = encodedAt(target, i);
      i += 2;
    }
    dots = afterByte(code, dots);
    if (dots === REFUSED) return -1;
  }
  // A slash at the end is an empty segment that is meant; dots at the end are a dot segment.
  return dots > 0 ? -1 : i;
}

const REFUSED = -2;

/** How many dots the segment has so far and nothing else, -1 when it has something else. */
function afterByte(code: number, dots: number): number {
  if (code < 0) return REFUSED;
  if (dots < 0) return -1;
  if (code === DOT) return dots < 2 ? dots + 1 : -1;
  return code === SEMICOLON && dots > 0 ? REFUSED : -1;
}

/**
 * Checks a request target: what is matched and what is forwarded are the same bytes, so whatever may be read in two ways is
 * refused instead of normalised.
 * @returns the length of the path, or why it is refused
 */
export function checkTarget(target: string): number | AppError {
  if (target.charCodeAt(0) !== SLASH) return ProxyErrors.target;
  const query = target.indexOf('?');
  if ((query < 0 ? target.length : query) > PATH_BYTES_MAX) return ProxyErrors.targetTooLong;
  const end = endOfPath(target);
  if (end < 0) return ProxyErrors.target;
  return end === target.length || mayStandInQuery(target, end) ? end : ProxyErrors.target;
}
