import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
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

/** How fast a body has to come in. */
export interface Pace {
  leastBytesPerS: number;
  /** From then on it is looked at. */
  afterMs: number;
  /** And again each time: what came since counts. */
  everyMs: number;
}

/** 64 kbit/s, once the time of every request is over: slow lines get their file through, and who only holds a connection does not. */
export const UPLOAD_PACE: Pace = { leastBytesPerS: 8 * 1024, afterMs: 120_000, everyMs: 60_000 };

/**
 * Lets this request take as long as its body is coming in: files of any size are sent over lines of any speed.
 * @param pace where it must not come in more slowly than that: then it is refused as overdue
 */
export function takeTime(request: IncomingMessage, pace?: Pace): void {
  const { socket } = request;
  unhurried.add(socket);
  const stop = pace ? keepPace(request, pace) : (): void => undefined;
  request.once('close', () => {
    stop();
    unhurried.delete(socket);
  });
}

/** Looks whether the body comes in fast enough; answers how to end that. */
function keepPace(request: IncomingMessage, { leastBytesPerS, afterMs, everyMs }: Pace): () => void {
  const { socket } = request;
  let [seenBytes, seenAtMs, wasFull] = [socket.bytesRead, performance.now(), false];
  let timer: NodeJS.Timeout;
  const look = (): void => {
    const [bytes, atMs] = [socket.bytesRead, performance.now()];
    const least = (leastBytesPerS * (atMs - seenAtMs)) / 1000;
    // What waits to be read is not the client's slowness, nor is it that nothing came while it did.
    const isFull = request.readableLength >= request.readableHighWaterMark;
    if (bytes - seenBytes < least && !isFull && !wasFull) return overdue(socket);
    [seenBytes, seenAtMs, wasFull] = [bytes, atMs, isFull];
    timer = setTimeout(look, everyMs).unref();
  };
  timer = setTimeout(look, afterMs).unref();
  return () => clearTimeout(timer);
}

/** As if Node had found that it took too long. */
function overdue(socket: Socket & { server?: Server }): void {
  unhurried.delete(socket);
  const error = Object.assign(new Error('The body comes in too slowly'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
  if (!socket.server?.emit('clientError', error, socket)) socket.destroy();
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
