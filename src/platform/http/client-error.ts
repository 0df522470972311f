import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import type { AppError } from '../../common/app-error';
import { newId } from '../../common/ids';
import { errorBody } from './error-body';
import { HttpErrors } from './http.errors';

/** What Node tells of it. */
export interface ClientError extends Error {
  code?: string;
}

const refusalOf = (error: ClientError): AppError => {
  if (error.code === 'HPE_HEADER_OVERFLOW') return HttpErrors.headersTooLarge();
  if (error.code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return HttpErrors.payloadTooLarge();
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return HttpErrors.requestTimeout();
  return HttpErrors.badRequest();
};

/** Connections whose request may take longer than all others, as long as something comes. */
const unhurried = new WeakSet<Socket>();

/** Lets this request take as long as its body is coming in: files of any size are sent over lines of any speed. */
export function takeTime(request: IncomingMessage): void {
  const { socket } = request;
  unhurried.add(socket);
  request.once('close', () => unhurried.delete(socket));
}

/** Whether all that is wrong is a request that takes as long as it may. */
export const mayTakeLonger = ({ code }: ClientError, socket: Socket): boolean =>
  code === 'ERR_HTTP_REQUEST_TIMEOUT' && unhurried.has(socket);

/**
 * Answers what is not even a request (Node's `clientError`): no request object exists, so the answer is written to the socket
 * by hand, in the one error shape, with the usual headers and a request id of its own.
 */
export function answerClientError(headers: Record<string, string>, logger: Logger) {
  return (error: ClientError, socket: Socket): void => {
    // Node says so once; a connection on which nothing comes is closed all the same.
    if (mayTakeLonger(error, socket)) return;
    if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
      socket.destroy();
      return;
    }
    const refusal = refusalOf(error);
    const requestId = newId();
    const body = JSON.stringify(errorBody(refusal, requestId));
    const lines = Object.entries({
      ...headers,
      'x-request-id': requestId,
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
      connection: 'close',
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    const status = `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ''}\r\n`;
    logger.info({ request_id: requestId, route: 'unmatched', status: refusal.status, reason: error.code }, 'request');
    socket.end(`${status}${lines.join('')}\r\n${body}`, () => socket.destroy());
  };
}
