/**
 * How a call to WAHA failed, as far as the caller must tell apart:
 * - `unreachable`: nothing left this machine (connection refused, name not found), so nothing happened there;
 * - `lost`: bytes left, no answer came: what happened there is not known;
 * - `answered`: WAHA answered with an error status; `reason` is its word.
 */
export type WahaFailureKind = 'unreachable' | 'lost' | 'answered';

/** A call to WAHA that did not succeed. Its message is for logs and operators, never for clients: it may name hosts. */
export class WahaFailure extends Error {
  constructor(
    readonly kind: WahaFailureKind,
    /** HTTP status of an `answered` failure, else 0. */
    readonly status: number,
    readonly reason: string,
    options: { cause?: unknown } = {},
  ) {
    super(`WAHA ${kind}${status ? ` ${status}` : ''}: ${reason}`, options);
    this.name = 'WahaFailure';
  }

  /** WAHA's 422 of another shape: the session is not in the state that the call needs (docs/WAHA.md §2). */
  get sessionNotReady(): boolean {
    return this.status === 422 && /session status is not as expected|does not exist/i.test(this.reason);
  }
}

/** Codes of a handshake that failed: no request was written. */
const TLS_REFUSED = /^(?:CERT_|ERR_TLS_|DEPTH_ZERO_|UNABLE_TO_|SELF_SIGNED_)/;

/** Codes of errors before the first byte was sent. */
const NOTHING_LEFT = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
];

/** Classifies what the HTTP client threw, by shape: errors of the network may come from another realm. */
export function transportFailure(error: unknown): WahaFailure {
  const { code, message, errors } = error as NodeJS.ErrnoException & { errors?: unknown };
  const causes = Array.isArray(errors) ? (errors as NodeJS.ErrnoException[]).map((each) => each.code) : [code];
  const nothingLeft = causes.length > 0 && causes.every(neverLeft);
  return new WahaFailure(nothingLeft ? 'unreachable' : 'lost', 0, typeof code === 'string' ? code : message, {
    cause: error,
  });
}

const neverLeft = (code: string | undefined): boolean =>
  typeof code === 'string' && (NOTHING_LEFT.includes(code) || TLS_REFUSED.test(code));

/** Short, and of characters that the database takes. */
const storable = (text: string): string => text.slice(0, 300).replaceAll('\0', '').toWellFormed();

/** The reason in an error answer, whichever of WAHA's four shapes it has (docs/WAHA.md §2). */
export function reasonOf(body: unknown): string {
  if (typeof body !== 'object' || body === null) return storable(typeof body === 'string' ? body : 'no reason given');
  const { exception, message, error } = body as Record<string, unknown>;
  const thrown = (exception as { message?: unknown } | undefined)?.message;
  const text = [thrown, message, error].find((part) => typeof part === 'string' || Array.isArray(part));
  return storable(Array.isArray(text) ? text.join('; ') : String(text ?? 'no reason given'));
}

/** What the call answers; null where WAHA says that there is nothing such. */
export async function or404<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof WahaFailure && error.status === 404) return null;
    throw error;
  }
}
