/**
 * Why nothing was fetched:
 * - `EGRESS_REFUSED`: we do not go there: scheme, credentials, an address that is not of the public internet, too many redirects;
 * - `EGRESS_FAILED`: it could not be reached, broke off, or took too long: another time it may work;
 * - `FILE_TOO_LARGE`: the body is larger than the limit.
 */
export type EgressFailureCode = 'EGRESS_REFUSED' | 'EGRESS_FAILED' | 'FILE_TOO_LARGE';

/** A request to an address that a tenant named, which did not succeed. Its message names neither the address nor what it resolved to. */
export class EgressFailure extends Error {
  constructor(
    readonly code: EgressFailureCode,
    message: string,
    options: { cause?: unknown } = {},
  ) {
    super(message, options);
    this.name = 'EgressFailure';
  }
}

/** The failure, by whichever part of the request it was thrown. */
export function asEgressFailure(error: unknown): EgressFailure {
  if (error instanceof EgressFailure) return error;
  const { code } = error as NodeJS.ErrnoException;
  const why = typeof code === 'string' ? ` (${code})` : '';
  return new EgressFailure('EGRESS_FAILED', `The address could not be fetched${why}`, { cause: error });
}
