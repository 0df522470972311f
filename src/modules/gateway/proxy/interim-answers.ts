import type { Socket } from 'node:net';
import { plainReason, readAnswerHead } from './answer-head';
import type { Exchange } from './exchange';

/** Of one exchange: no client needs more of them, and none that takes nothing has more kept for it. */
const BYTES_MAX = 64 * 1024;
const NO_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * The interim answers of upstreams on their way to a client, before its final answer (RFC 9110 §15.2; `103 Early Hints` is
 * RFC 8297's): with what ends at a hop, and any length, left out. A client of HTTP/1.0 knows none, and gets none.
 */
export class InterimAnswers {
  private leftBytes = BYTES_MAX;
  /** Until it is this answer's turn on the connection. */
  private waiting = '';

  constructor(private readonly exchange: Exchange) {}

  /**
   * @param raw names and values in turn, as undici's parser gives them
   * @returns false: a head that HTTP does not allow
   */
  pass(status: number, reason: string, raw: readonly Uint8Array[]): boolean {
    const { headers } = readAnswerHead(raw, status);
    if (headers.some((part) => NO_VALUE.test(part))) return false;
    let head = `HTTP/1.1 ${status} ${plainReason(status, reason) ?? ''}\r\n`;
    for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
    head += '\r\n';
    if (this.exchange.request.httpVersionMinor === 0 || head.length > this.leftBytes) return true;
    this.leftBytes -= head.length;
    this.write(head);
    return true;
  }

  /** At once, or when it is this answer's turn on the connection. Node writes 103 itself, but only with a `Link` to its taste. */
  private write(head: string): void {
    const { response } = this.exchange;
    if (response.socket !== null) {
      send(response.socket, head);
      return;
    }
    if (this.waiting === '') response.once('socket', (socket: Socket) => send(socket, this.waiting));
    this.waiting += head;
  }
}

function send(socket: Socket, heads: string): void {
  if (socket.writable) socket.write(heads, 'latin1');
}
