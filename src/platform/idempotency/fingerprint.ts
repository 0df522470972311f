import { createHmac } from 'node:crypto';

/** What of a request must be the same for its answer to be the same. */
export interface FingerprintInput {
  /** Parsed JSON, raw bytes, or undefined where there is none. */
  body: unknown;
  /** The query string as it came, without `?`. */
  query: string;
  /** Tells apart bodies that are not read into memory. */
  contentLength: string | undefined;
}

/**
 * HMAC-SHA-256 of the request in base64url: a body may hold a password, and a bare hash of it could be guessed at. JSON counts by its content: spaces and the order of keys make no difference.
 * @param key of the installation
 * @throws RangeError for JSON nested too deep to be written again
 */
export function fingerprintOf(key: Buffer, { body, query, contentLength }: FingerprintInput): string {
  const hash = createHmac('sha256', key).update(query).update('\n');
  if (Buffer.isBuffer(body)) hash.update(body);
  else if (body === undefined || body === null) hash.update(contentLength ?? '0');
  else hash.update(canonical(body));
  return hash.digest('base64url');
}

const canonical = (body: unknown): string => JSON.stringify(body, (_key, value: unknown) => sorted(value));

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
