import type { Socket } from 'node:net';

/** What is used here of the parser that undici keeps with each connection. */
interface ResponseParser {
  statusCode: number;
  headers: Buffer[];
  headersSize: number;
  /** @returns what llhttp wants to know: 1 where no body follows */
  onHeadersComplete: (this: ResponseParser, status: number, isUpgrade: boolean, keepsAlive: boolean) => number;
}

const PARSER = 'parser';
const CONTINUE = 100;
const NO_BODY = 1;

/**
 * Passes over a `100 Continue` that nobody asked for, as every client must be able to (RFC 9110 §15.2): undici ends the
 * connection on it, and has no setting for that. Its parser is asked in its own place, for it alone knows where a head begins and
 * what is body. For a connection that undici has just taken; where it keeps no such parser everything stays as it is.
 */
export function passOverContinue(socket: Socket): void {
  const key = Object.getOwnPropertySymbols(socket).find(({ description }) => description === PARSER);
  const parser = key && (socket as unknown as Record<symbol, ResponseParser | null>)[key];
  if (!parser) return;
  const complete = parser.onHeadersComplete;
  parser.onHeadersComplete = function (status, isUpgrade, keepsAlive) {
    if (status !== CONTINUE || socket.destroyed) return complete.call(this, status, isUpgrade, keepsAlive);
    // As after any interim answer: the next head begins anew.
    this.statusCode = status;
    this.headers = [];
    this.headersSize = 0;
    return NO_BODY;
  };
}
