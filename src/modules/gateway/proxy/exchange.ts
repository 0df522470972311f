import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { Actor } from '../../../common/actor';
import type { AppError } from '../../../common/app-error';
import { errorBody } from '../../../platform/http/error-body';
import { translateError } from '../../../platform/http/translate-error';
import type { AccessLog } from '../../../platform/logging/access-log';
import type { Balancer } from '../balance/balancer';
import type { GatewayRoute } from '../gateway-route';
import { accessLineOf } from './access-line';
import type { ClientAddresses, Origin } from './client-address';
import type { IdleSweep, Swept } from './idle-sweep';
import type { EndedExchange, GatewayObserver } from './parts';
import { RequestHead } from './request-head';
import { SMALL_BODY_BYTES } from './traffic-limits';
import { Tunnel, type Tunnels, type TunnelTimes } from './tunnel';

/** What all exchanges of a front have in common. */
export interface Shared {
  readonly balancer: Balancer;
  readonly observer: GatewayObserver;
  readonly logger: Logger;
  readonly accessLog: AccessLog;
  readonly addresses: ClientAddresses;
  /** The security headers, names and values in turn. */
  readonly errorHeaders: readonly string[];
  readonly sweep: IdleSweep<Exchange>;
  readonly connections: WeakMap<Socket, Connection>;
  readonly tunnels: Tunnels;
  readonly tunnelTimes: TunnelTimes;
  /** In looks of the sweep. */
  readonly ticks: { readonly bodyIdle: number; readonly eventIdle: number; readonly linger: number };
  /** Each answer ends its connection. */
  isDraining: boolean;
}

/** What is known of a client's connection. */
export interface Connection {
  /** The last one on it that is not over. */
  latest: Exchange | null;
}

/** What is done for an exchange with upstreams. */
export interface Errand {
  /** Whether the client was asked for its body. */
  readonly hasAskedForBody: boolean;
  /** The exchange is over: nobody waits for anything any more. */
  abandon(): void;
  /** Ends what has stood still for too long. @param idleTicks looks of the sweep since the last byte */
  check(idleTicks: number): void;
}

/** A client that wants a WebSocket. */
export interface TunnelRequest {
  readonly socket: Socket;
  /** What it sent already after its head. */
  readonly first: Buffer;
}

/** 499: the client went away before the head was sent. */
const CLIENT_CLOSED = 499;
const JSON_TYPE = 'application/json; charset=utf-8';

/** One request of a client and its answer, from its head until its last byte. */
export class Exchange implements Swept {
  readonly head: RequestHead;
  readonly origin: Origin;
  actor: Actor | null = null;
  route: GatewayRoute | null = null;
  forwarding: Errand | null = null;
  status = CLIENT_CLOSED;
  upstreamMs: number | null = null;
  attempts = 0;
  /** Set by the front, as its observer is told. */
  keyHit: boolean | null = null;
  tableHit: boolean | null = null;
  /** Set by whoever counted it among the tenant's WebSockets. */
  holdsTunnel = false;
  isOver = false;
  /** The one before it on its connection, unless that is over: requests may be sent before the answers to those before them. */
  before: Exchange | null;
  slot = -1;

  private readonly connection: Connection;
  private readonly startedAt = performance.now();
  private activeTick: number;
  /** The look of the sweep that ends it; 0: it does not linger. */
  private lingersUntil = 0;
  /** Answers before it on its connection are not over: nothing may be done to the connection for its sake. */
  private waitsForTurn: boolean;
  private endsAtTurn = false;

  constructor(
    readonly shared: Shared,
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    readonly tunnel: TunnelRequest | null,
  ) {
    this.head = new RequestHead(request);
    this.origin = shared.addresses.of(request, this.head.host);
    this.activeTick = shared.sweep.tick;
    shared.sweep.open.add(this);
    this.connection = connectionOf(shared, request.socket);
    this.before = this.connection.latest;
    this.connection.latest = this;
    response.on('close', () => this.close());
    // An answer that waits for those before it on its connection is not told when that goes.
    this.waitsForTurn = response.socket === null;
    if (!this.waitsForTurn) return;
    request.on('close', () => this.closeWithSocket());
    response.once('socket', () => this.takeTurn());
  }

  /** Something moved. */
  touch(): void {
    this.activeTick = this.shared.sweep.tick;
  }

  check(tick: number): void {
    if (this.closeWithSocket() || this.waitsForTurn) return;
    if (this.lingersUntil === 0) this.forwarding?.check(tick - this.activeTick);
    else if (tick >= this.lingersUntil) {
      this.response.end();
      this.request.socket.destroySoon();
    }
  }

  /** Whether this answer is the last on its connection. */
  mustClose(): boolean {
    if (this.shared.isDraining || this.head.problem !== null || this.isUnpromised()) return true;
    return this.hasUnread() && (this.head.chunked || Number(this.head.contentLength) > SMALL_BODY_BYTES);
  }

  /** Answers in the one shape of errors; a client that is being answered already is cut off. */
  refuse(error: AppError): void {
    if (this.isOver) return;
    if (this.response.headersSent) {
      this.cut(false);
      return;
    }
    const { requestId } = this.head;
    this.status = error.status;
    const body = Buffer.from(JSON.stringify(errorBody(error, requestId)));
    const headers = [...this.shared.errorHeaders, 'x-request-id', requestId, 'content-type', JSON_TYPE];
    headers.push('content-length', String(body.length), ...Object.entries(error.headers).flat());
    if (this.mustClose()) headers.push('connection', 'close');
    this.response.writeHead(error.status, headers);
    this.finish(body, false);
  }

  /** Something was thrown. */
  fail(cause: unknown): void {
    const error = translateError(cause);
    if (error.status === 500) this.shared.logger.error({ request_id: this.head.requestId, err: cause }, 'gateway');
    this.forwarding?.abandon();
    this.refuse(error);
  }

  /**
   * Ends the answer. What the client still sends of its request is read for a moment, so that the answer is not lost in a
   * reset; where only the end shows the answer's length, it is not kept waiting for that.
   */
  finish(chunk: Buffer | undefined, isOpenEnded: boolean): void {
    const { response, request } = this;
    if (!this.hasUnread() || this.isUnpromised()) response.end(chunk);
    else if (isOpenEnded) {
      response.once('finish', () => request.socket.destroySoon()).end(chunk);
    } else {
      if (chunk) response.write(chunk);
      else response.flushHeaders();
      this.lingersUntil = this.shared.sweep.tick + this.shared.ticks.linger;
      request.once('end', () => response.end());
      request.resume();
    }
  }

  /**
   * Ends the connection in the middle of an answer, so that the client sees that it is not whole; those before it go out first.
   * @param isOpenEnded whether nothing but the connection's end may show the end of the answer
   */
  cut(isOpenEnded: boolean): void {
    const { socket, httpVersionMinor } = this.request;
    if (this.waitsForTurn) {
      this.endsAtTurn = true;
      this.forwarding?.abandon();
      this.request.resume(); // who does not read does not see the client leave
    } else if (isOpenEnded && httpVersionMinor === 0 && !('encrypted' in socket)) socket.resetAndDestroy();
    else socket.destroy();
  }

  /** Whether the client gets this answer at the moment: those before it on its connection are over, and its head is sent. */
  get isOnTheWire(): boolean {
    return !this.isOver && this.response.socket !== null && this.response.headersSent;
  }

  /** What comes on the connection is no HTTP any more: an answer that was given is sent, one in its middle is cut off. */
  breakOff(): void {
    if (this.lingersUntil > 0) this.response.end();
    if (this.response.writableEnded) this.request.socket.destroySoon();
    else this.request.socket.destroy();
  }

  /**
   * Passes the change of protocol on and joins the two ends.
   * @returns false: the client is gone, or the head is none that HTTP allows
   */
  openTunnel(upstream: Duplex, headers: readonly string[]): boolean {
    const { tunnel, response, shared } = this;
    if (tunnel === null || tunnel.socket.destroyed) return false;
    let head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
    for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
    if (/[^\t\r\n\x20-\x7e\x80-\xff]/.test(head)) return false;
    this.status = 101;
    response.detachSocket(tunnel.socket);
    tunnel.socket.write(`${head}X-Request-Id: ${this.head.requestId}\r\n\r\n`, 'latin1');
    const joined = new Tunnel({ client: tunnel.socket, upstream }, shared.tunnelTimes, () => {
      shared.tunnels.remove(joined);
      this.close();
    });
    shared.tunnels.add(joined);
    joined.start(tunnel.first);
    if (shared.isDraining) joined.destroy();
    return true;
  }

  /** The last byte was handed to the client, or there is no client any more. */
  close(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.shared.sweep.open.remove(this);
    this.leave();
    this.forwarding?.abandon();
    if (this.holdsTunnel) this.shared.tunnels.release(this.actor?.tenantId ?? '');
    const ended: EndedExchange = {
      actor: this.actor,
      tenantId: this.actor?.tenantId ?? null,
      route: this.route,
      requestId: this.head.requestId,
      method: this.request.method as string,
      status: this.status,
      totalMs: performance.now() - this.startedAt,
      upstreamMs: this.upstreamMs,
      attempts: this.attempts,
      address: this.origin.address,
      userAgent: this.request.headers['user-agent'],
      keyHit: this.keyHit,
      tableHit: this.tableHit,
    };
    this.shared.accessLog(accessLineOf(ended));
    this.shared.observer.ended(ended);
  }

  /** The answers before it are over. Its times begin; of one that was cut nothing is sent. */
  private takeTurn(): void {
    this.waitsForTurn = false;
    this.touch();
    if (this.lingersUntil > 0) this.lingersUntil = this.shared.sweep.tick + this.shared.ticks.linger;
    if (this.endsAtTurn) this.request.socket.destroySoon();
  }

  /** An idle connection holds nothing of what was answered on it. */
  private leave(): void {
    if (this.connection.latest === this) this.connection.latest = null;
    this.before = null;
  }

  private closeWithSocket(): boolean {
    const isGone = this.request.socket.destroyed;
    if (isGone) this.close();
    return isGone;
  }

  /** Whether the client has more to say, or says it at this moment. */
  private hasUnread(): boolean {
    return this.head.hasBody && !this.request.complete;
  }

  /** Whether the client waits to be asked for a body that nobody asked for. */
  private isUnpromised(): boolean {
    return this.head.expectsContinue && this.hasUnread() && !this.forwarding?.hasAskedForBody;
  }
}

function connectionOf({ connections }: Shared, socket: Socket): Connection {
  const known = connections.get(socket);
  if (known) return known;
  const connection = { latest: null };
  connections.set(socket, connection);
  return connection;
}
