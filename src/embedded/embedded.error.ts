import { StartError } from '../config/start.error';

/** Why the embedded start cannot go on; the message is a sentence for the person at the terminal and says what to do. */
export type EmbeddedFailure =
  | 'no-binaries'
  | 'unreachable'
  | 'foreign-folder'
  | 'unusable-folder'
  | 'in-use'
  | 'wrong-password'
  | 'port-taken'
  | 'bad-secrets'
  | 'failed';

/** A failure of the embedded start that a person can mend. */
export class EmbeddedError extends StartError {
  constructor(
    readonly reason: EmbeddedFailure,
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
    this.name = 'EmbeddedError';
  }
}

/** The `code` of a system or PostgreSQL error, undefined for anything else. Not by class: errors may be of another realm. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
