/** The longest path that a route names, and that a rewrite names. */
export const MAX_PATH_CHARACTERS = 2_048;

/** RFC 3986 §3.3: what stands in a path as it is, or percent-encoded. */
const PATH = /^\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*$/;
/** Also before `;`: some servers take what follows it in a segment for no part of the name. */
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:\/|;|%3b|$)/i;
const ENCODED_CONTROL = /%(?:2f|5c|00)/i;

/**
 * Why the path can be that of no request that is passed on, or null. Paths are compared as they are written, byte by byte, so
 * what servers read in more than one way is nobody's path.
 */
export function pathFault(path: string): string | null {
  if (!path.startsWith('/')) return 'must begin with `/`';
  if (path.length > MAX_PATH_CHARACTERS) return `must be at most ${MAX_PATH_CHARACTERS} characters long`;
  if (!PATH.test(path)) return 'must hold only what the path of a URL may hold; all else has to be percent-encoded';
  if (path.includes('//')) return 'must not have an empty segment (`//`)';
  if (DOT_SEGMENT.test(path)) return 'must not have a segment `.` or `..`, encoded neither';
  if (ENCODED_CONTROL.test(path)) return 'must not hold an encoded slash, backslash or NUL';
  return null;
}

/** The longest target that a rewrite may make of groups. */
const MAX_TARGET_CHARACTERS = 8_192;
const MALFORMED = /%(?![0-9A-Fa-f]{2})/;

/**
 * A target that was put together, with one slash where several met; null where it would lead out of where the rewrite points:
 * a dot segment, an encoded slash, half of an encoded character.
 */
export function joinedTarget(parts: string): string | null {
  const target = parts.includes('//') ? parts.replace(/\/{2,}/g, '/') : parts;
  if (target.length > MAX_TARGET_CHARACTERS || MALFORMED.test(target)) return null;
  return DOT_SEGMENT.test(target) || ENCODED_CONTROL.test(target) ? null : target;
}

/** The prefix without the slash at its end, which says nothing: `/shop/` is `/shop`. That of all paths stays `/`. */
export const trimmedPrefix = (path: string): string => path.replace(/(?<=.)\/+$/, '');
