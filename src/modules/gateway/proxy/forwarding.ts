import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AttemptFailure, Upstream } from '../balance/balancer';
import type { GatewayRoute } from '../gateway-route';
import { type AnswerHead, readAnswerHead } from './answer-head';
import { UpstreamCall, type CallOwner } from './upstream-call';
import type { Errand, Exchange } from './exchange';
import { ProxyErrors } from './proxy.errors';
import { RequestBody } from './request-body';
import { headersForUpstream } from './upstream-headers';

/** RFC 9110 §9.2.2, less TRACE. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
/** Answers that say that another upstream may do better. */
const REPEATED = new Set([502, 503, 504]);
const NONE: readonly string[] = [];
const NOT_PLAIN = /[^\t -~]/;

const flushHead = (forwarding: Forwarding): void => forwarding.flushHead();

/** The way of one exchange to its upstreams and back. */
export class Forwarding implements CallOwner, Errand {
  private readonly headers: string[];
  private body: RequestBody | null;
  private call: UpstreamCall | null = null;
  private tried = NONE;
  private answer: AnswerHead | null = null;
  private receivedBytes = 0;
  private hasWritten = false;
  private hasEnded = false;
  private isPaused = false;
  private waitsForDrain = false;

  /** @param target path and query as the upstream is asked for them */
  constructor(
    private readonly exchange: Exchange,
    private readonly route: GatewayRoute,
    private readonly target: string,
  ) {
    const { head, origin } = exchange;
    this.headers = headersForUpstream(head, route, origin);
    this.body = head.hasBody ? this.bodyOf(exchange) : null;
  }

  get hasAskedForBody(): boolean {
    return this.body?.hasBegun ?? false;
  }

  start(): void {
    const upstream = this.exchange.shared.balancer.pick(this.route, NONE);
    if (upstream === null) this.exchange.refuse(ProxyErrors.noUpstream);
    else this.ask(upstream);
  }

  abandon(): void {
    this.call?.drop();
    this.body?.destroy();
  }

  onHead(call: UpstreamCall, status: number, reason: string): void {
    const { upstream, elapsedMs } = call;
    this.exchange.upstreamMs = elapsedMs;
    upstream.answered(status, elapsedMs);
    if (REPEATED.has(status) && this.askNext(call)) return;
    this.passHead(call, status, reason);
  }

  onData(chunk: Buffer): void {
    const { response } = this.exchange;
    if (response.destroyed || this.answer === null) return;
    this.exchange.touch();
    this.hasWritten = true;
    this.receivedBytes += chunk.length;
    if (this.receivedBytes === this.answer.lengthBytes) this.end(chunk);
    else if (!response.write(chunk)) this.waitForDrain();
  }

  onEnd(call: UpstreamCall): void {
    call.finish();
    if (!this.hasEnded) this.end();
  }

  onUpgraded(call: UpstreamCall, status: number, socket: Duplex): void {
    const answer = readAnswerHead(call.rawHeaders, status);
    this.exchange.upstreamMs = call.elapsedMs;
    call.upstream.answered(status, call.elapsedMs);
    if (answer.upgrade === 'websocket' && this.exchange.openTunnel(socket, answer.headers)) return;
    socket.on('error', () => undefined).destroy();
    this.onFailed(call, 'broken');
  }

  onFailed(call: UpstreamCall, failure: AttemptFailure | null): void {
    const hasBegun = this.answer !== null;
    if (failure !== null) call.upstream.failed(hasBegun && failure === 'unreachable' ? 'broken' : failure);
    if (this.answer !== null) {
      call.drop();
      this.exchange.cut(this.answer.lengthBytes < 0);
    } else if (failure === null) this.refuse(call, ProxyErrors.malformed);
    else if (!this.askNext(call))
      this.refuse(call, failure === 'timeout' ? ProxyErrors.timeout : ProxyErrors.badGateway);
  }

  onLate(call: UpstreamCall): void {
    // The time of an upstream does not run while its client keeps everybody waiting; the sweep ends that.
    if (this.body?.waitsForClient) call.waitAnew();
    else this.onFailed(call, 'timeout');
  }

  check(idleTicks: number): void {
    const { call, answer } = this;
    if (call === null) return;
    if (answer !== null) this.checkAnswer(call, answer, idleTicks);
    else if (this.body?.waitsForClient && idleTicks >= this.exchange.shared.ticks.bodyIdle)
      this.refuse(call, ProxyErrors.bodyTooSlow);
  }

  /** Sends a head whose body is still to come. */
  flushHead(): void {
    if (!this.hasWritten && !this.hasEnded && !this.exchange.response.destroyed) this.exchange.response.flushHeaders();
  }

  private checkAnswer(call: UpstreamCall, answer: AnswerHead, idleTicks: number): void {
    const { ticks } = this.exchange.shared;
    const waitsForClient = this.isPaused || this.hasEnded;
    if (idleTicks < (answer.isEventStream || waitsForClient ? ticks.eventIdle : ticks.bodyIdle)) return;
    // Events may stay away for ever, and a client may be the slow one.
    if (!answer.isEventStream && !waitsForClient && !this.body?.waitsForClient) call.upstream.failed('timeout');
    call.drop();
    this.exchange.cut(answer.lengthBytes < 0);
  }

  private ask(upstream: Upstream): void {
    const { exchange, route } = this;
    // An attempt that still waits for a connection holds its own headers.
    const headers = exchange.attempts === 0 ? this.headers : this.headers.slice();
    headers[1] = upstream.authority;
    exchange.attempts += 1;
    this.call = new UpstreamCall(this, upstream, {
      method: exchange.request.method as string,
      target: this.target,
      headers,
      body: this.body,
      timeoutMs: route.timeoutMs,
      isUpgrade: exchange.tunnel !== null,
    });
    this.call.start();
  }

  /** Asks another upstream after this one, if that is allowed and there is one. */
  private askNext(call: UpstreamCall): boolean {
    const { exchange, route } = this;
    if (call.wasSent ? !this.mayRepeat() : this.hasAskedForBody) return false;
    this.tried = [...this.tried, call.upstream.url];
    const next = exchange.shared.balancer.pick(route, this.tried);
    if (next === null) return false;
    call.drop();
    if (this.body !== null) {
      this.body.destroy(); // what still waits in undici must never read the client's
      this.body = this.bodyOf(exchange);
    }
    this.ask(next);
    return true;
  }

  /** Whether what an upstream may have seen may be sent again. Where no connection came about, that is not asked. */
  private mayRepeat(): boolean {
    const { attempts, request } = this.exchange;
    return attempts <= this.route.retries && this.body === null && IDEMPOTENT.has(request.method as string);
  }

  private bodyOf({ head, request, response }: Exchange): RequestBody {
    return new RequestBody(request, head.expectsContinue ? response : null, () => this.progress());
  }

  private passHead(call: UpstreamCall, status: number, reason: string): void {
    const { exchange } = this;
    const answer = readAnswerHead(call.rawHeaders, status);
    const { headers } = answer;
    headers.push('X-Request-Id', exchange.head.requestId);
    if (exchange.mustClose()) headers.push('Connection', 'close');
    try {
      exchange.response.writeHead(status, NOT_PLAIN.test(reason) ? STATUS_CODES[status] : reason, headers);
    } catch {
      this.onFailed(call, 'broken'); // a head that HTTP does not allow
      return;
    }
    exchange.status = status;
    exchange.touch();
    this.answer = answer;
    process.nextTick(flushHead, this);
  }

  private end(chunk?: Buffer): void {
    this.hasEnded = true;
    this.exchange.finish(chunk, this.answer !== null && this.answer.lengthBytes < 0);
  }

  private refuse(call: UpstreamCall, error: Parameters<Exchange['refuse']>[0]): void {
    call.drop();
    this.body?.destroy();
    this.exchange.refuse(error);
  }

  private waitForDrain(): void {
    this.isPaused = true;
    this.call?.pause();
    if (this.waitsForDrain) return;
    this.waitsForDrain = true;
    this.exchange.response.on('drain', () => {
      this.isPaused = false;
      this.exchange.touch();
      this.call?.resume();
    });
  }

  private progress(): void {
    this.exchange.touch();
    if (this.answer === null) this.call?.waitAnew();
  }
}
