import { STATUS_CODES } from 'node:http';
import type { WahaEnvironment } from './settings';

/** An answer that is not a success, with the exact body that WAHA gives. */
export class WahaError extends Error {
  constructor(
    public readonly statusCode: number,
    public readonly body: Record<string, unknown>,
  ) {
    super(JSON.stringify(body));
  }
}

/** An error in NestJS's shape: `{message, error, statusCode}`. */
export function nestError(statusCode: number, message: string | string[]): WahaError {
  return new WahaError(statusCode, { message, error: STATUS_CODES[statusCode] ?? 'Error', statusCode });
}

/** 401, which has no `error` field in WAHA. */
export function unauthorized(): WahaError {
  return new WahaError(401, { message: 'Unauthorized', statusCode: 401 });
}

/** 404 of the session endpoints. */
export function sessionNotFound(): WahaError {
  return nestError(404, 'Session not found');
}

/** 404 of the calls that want a started session. */
export function sessionNotStarted(name: string): WahaError {
  return nestError(
    404,
    `We didn't find a session with name '${name}'.\nPlease start it first by using POST /api/sessions/${name}/start request`,
  );
}

/** 422 of the calls that want a session in a status, when there is no such session. */
export function sessionDoesNotExist(name: string): WahaError {
  return new WahaError(422, { error: `Session "${name}" does not exist`, session: name });
}

/** 422 of the calls that want a session in a status, when it is in another. */
export function statusNotExpected(session: string, status: string, expected: readonly string[]): WahaError {
  return new WahaError(422, {
    error: 'Session status is not as expected. Try again later or restart the session',
    session,
    status,
    expected,
  });
}

/** 501 of a method that the engine lacks. */
export function notImplementedByEngine(engine: string): WahaError {
  return nestError(
    501,
    `The method is not implemented by '${engine}' engine. Check the docs and try another engine: https://waha.devlike.pro/`,
  );
}

/** What is echoed of a request in a 500. */
interface FailedRequest {
  path: string;
  method: string;
  body: unknown;
  query: unknown;
}

/** The body of a 500: WAHA's catch-all echoes the request and a stack trace. */
export function unexpectedErrorBody(
  error: Error,
  request: FailedRequest,
  version: WahaEnvironment,
): Record<string, unknown> {
  return {
    statusCode: 500,
    timestamp: new Date().toISOString(),
    exception: { message: error.message, name: error.name, stack: error.stack },
    request,
    version,
  };
}
