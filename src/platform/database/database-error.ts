import { DatabaseError } from 'pg';
import { QueryFailedError } from 'typeorm';

/** SQLSTATE classes that say "not now" rather than "wrong": connection, resources, intervention, system, roll-back. */
const FAILURE_CLASSES = ['08', '53', '57', '58', '40', '25'];
const SOCKET_CODES = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'];
const LOST =
  /connection terminated|timeout exceeded when trying to connect|client has encountered a connection error|read timeout/i;

const unwrap = (error: unknown): unknown => (error instanceof QueryFailedError ? error.driverError : error);

/** Whether the database could not be reached or could not do the work now: the caller gets 503 and may try again. */
export function isDatabaseFailure(error: unknown): boolean {
  const cause = unwrap(error);
  if (cause instanceof DatabaseError) return FAILURE_CLASSES.includes((cause.code ?? '').slice(0, 2));
  // Shapes, not classes: errors of the network may come from another realm (a test runner's).
  const { code, syscall, message, errors } = (cause ?? {}) as NodeJS.ErrnoException & { errors?: unknown };
  if (Array.isArray(errors)) return errors.some(isDatabaseFailure);
  if (LOST.test(message ?? '')) return true;
  return SOCKET_CODES.includes(code ?? '') && ['connect', 'read', 'write', 'getaddrinfo'].includes(syscall ?? '');
}

/** Whether a statement took longer than statements may: the database is there, and would take as long again. */
export function isTimeout(error: unknown): boolean {
  const cause = unwrap(error);
  return cause instanceof DatabaseError && cause.code === '57014';
}

/** SQLSTATE: invalid text representation, invalid datetime format, datetime field overflow. */
const UNREADABLE = ['22P02', '22007', '22008'];

/** Whether the database could not read a value as its type: one that no rule of the request caught. */
export function isUnreadableValue(error: unknown): boolean {
  const cause = unwrap(error);
  return cause instanceof DatabaseError && UNREADABLE.includes(cause.code ?? '');
}

/** The name of the unique constraint that the statement would have broken; null for any other error. */
export function uniqueViolation(error: unknown): string | null {
  const cause = unwrap(error);
  return cause instanceof DatabaseError && cause.code === '23505' ? (cause.constraint ?? '') : null;
}

/**
 * The name of the foreign key that the statement would have broken, by removing what is referred to or by referring to what is
 * not there; null for any other error.
 */
export function foreignKeyViolation(error: unknown): string | null {
  const cause = unwrap(error);
  return cause instanceof DatabaseError && cause.code === '23503' ? (cause.constraint ?? '') : null;
}

/** Whether one row's data is at fault, so that the other rows of a batch may well be fine. */
export function isDataError(error: unknown): boolean {
  const cause = unwrap(error);
  if (!(cause instanceof DatabaseError)) return false;
  // 54000: a value too large for an index.
  return ['22', '23'].includes((cause.code ?? '').slice(0, 2)) || cause.code === '54000';
}

/** Whether the database rolled the statement back for concurrency (deadlock, serialization): running it again is right. */
export function isRollback(error: unknown): boolean {
  const cause = unwrap(error);
  return cause instanceof DatabaseError && (cause.code ?? '').startsWith('40');
}
