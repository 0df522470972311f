import type { Duplex } from 'node:stream';
import type { AppError } from '../../../common/app-error';
import type { Upstream } from '../balance/balancer';
import type { GatewayRoute } from '../gateway-route';
import { type AnswerHead, plainReason, readAnswerHead } from './answer-head';
import { type CallFailure, type CallOwner, UpstreamCall } from './upstream-call';
import type { Errand, Exchange } from './exchange';
import { InterimAnswers } from './interim-answers';
import { KeptAnswer } from './kept-answer';
import { errorOf, ProxyErrors } from './proxy.errors';
import { RequestBody } from './request-body';
import { headersForUpstream } from './upstream-headers';

/** RFC 9110 §9.2.2, less TRACE. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
/** Answers that say that another upstream may do better. */
const REPEATED = new Set([502, 503, 504]);
const NONE: readonly string[] = [];

const flushHead = (forwarding: Forwarding): void => forwarding.flushHead();

/** The way of one exchange to its upstreams and back. */
export class Forwarding implements CallOwner, Errand {
  private readonly headers: string[];
  private body: RequestBody | null;
  private call: UpstreamCall | null = null;
  private tried = NONE;
  /** Attempts that an upstream may have seen, and that were asked of another after it. */
  private repeated = 0;
  /** Stands where no other upstream does better. */
  private first: AppError | KeptAnswer | null = null;
  private interim: InterimAnswers | null = null;
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
    this.forgetFirst();
    this.body?.destroy();
  }

  onInterim(call: UpstreamCall, status: number, reason: string): void {
    this.interim ??= new InterimAnswers(this.exchange);
    if (!this.interim.pass(status, reason, call.rawHeaders)) this.onFailed(call, 'broken');
  }

  onHead(call: UpstreamCall, status: number, reason: string): void {
    const { upstream, elapsedMs } = call;
    this.exchange.upstreamMs = elapsedMs;
    upstream.answered(status, elapsedMs);
    if (REPEATED.has(status)) {
      if (this.askNext(call, new KeptAnswer(call, status, reason))) return;
      if (this.first !== null) {
        call.drop();
        this.letFirstStand(this.first);
        return;
      }
    }
    this.forgetFirst();
    this.passHead(call, status, reason);
  }

  onData(call: UpstreamCall, chunk: Buffer): void {
    const kept = this.keptOf(call);
    if (kept === null) this.passData(chunk);
    else kept.add(chunk);
  }

  private passData(chunk: Buffer): void {
    const { response } = this.exchange;
    if (response.destroyed || this.answer === null) return;
    this.exchange.touch();
    this.hasWritten = true;
    this.receivedBytes += chunk.length;
    if (this.receivedBytes === this.answer.lengthBytes) this.end(chunk);
    else if (!response.write(chunk)) this.waitForDrain();
  }

  onEnd(call: UpstreamCall): void {
    const kept = this.keptOf(call);
    if (kept !== null) {
      kept.end();
      return;
    }
    call.finish();
    if (!this.hasEnded) this.end();
  }

  onUpgraded(call: UpstreamCall, status: number, socket: Duplex): void {
    const answer = readAnswerHead(call.rawHeaders, status);
    this.exchange.upstreamMs = call.elapsedMs;
    call.upstream.answered(status, call.elapsedMs);
    if (answer.upgrade === 'websocket' && this.exchange.openTunnel(socket, answer.headers)) {
      this.forgetFirst();
      return;
    }
    socket.on('error', () => undefined).destroy();
    this.onFailed(call, 'broken');
  }

  onFailed(call: UpstreamCall, failure: CallFailure): void {
    const hasBegun = this.answer !== null;
    const isKept = this.keptOf(call) !== null;
    const isBroken = (hasBegun || isKept) && failure === 'unreachable';
    if (failure !== null && failure !== 'exhausted') call.upstream.failed(isBroken ? 'broken' : failure);
    if (isKept) {
      call.drop();
      this.first = ProxyErrors.badGateway;
    } else if (this.answer !== null) {
      call.drop();
      this.exchange.cut(this.answer.lengthBytes < 0);
    } else if (failure === null) this.refuse(call, ProxyErrors.malformed);
    else this.tryNext(call, errorOf(failure));
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
  private askNext(call: UpstreamCall, failure: AppError | KeptAnswer): boolean {
    const { exchange, route } = this;
    if (call.wasSent ? !this.mayRepeat() : this.hasAskedForBody) return false;
    this.tried = [...this.tried, call.upstream.url];
    const next = exchange.shared.balancer.pick(route, this.tried);
    if (next === null) return false;
    if (call.wasSent) {
      this.repeated += 1;
      this.first ??= failure; // who was never reached has failed at nothing
    }
    if (this.first !== failure || !(failure instanceof KeptAnswer)) call.drop();
    if (this.body !== null) {
      this.body.destroy(); // what still waits in undici must never read the client's
      this.body = this.bodyOf(exchange);
    }
    this.ask(next);
    return true;
  }

  /** After an attempt without an answer. */
  private tryNext(call: UpstreamCall, error: AppError): void {
    if (this.askNext(call, error)) return;
    call.drop();
    this.letFirstStand(this.first ?? error);
  }

  private letFirstStand(first: AppError | KeptAnswer): void {
    this.first = null;
    if (first instanceof KeptAnswer) this.passKept(first);
    else this.refuse(null, first);
  }

  private passKept({ call, status, reason, elapsedMs, chunks, hasEnded }: KeptAnswer): void {
    this.call = call;
    this.exchange.upstreamMs = elapsedMs;
    this.passHead(call, status, reason);
    if (this.answer === null) return;
    for (const chunk of chunks) this.passData(chunk);
    if (!hasEnded && !this.isPaused) call.resume();
    else if (hasEnded && !this.hasEnded) this.end();
  }

  /** Of an attempt whose answer is kept; null: it is the one that everybody waits for. */
  private keptOf(call: UpstreamCall): KeptAnswer | null {
    return this.first instanceof KeptAnswer && this.first.call === call ? this.first : null;
  }

  private forgetFirst(): void {
    if (this.first instanceof KeptAnswer) this.first.call.drop();
    this.first = null;
  }

  /** Whether what an upstream may have seen may be sent again. Where no connection came about, that is not asked. */
  private mayRepeat(): boolean {
    const { retries } = this.route;
    return this.repeated < retries && this.body === null && IDEMPOTENT.has(this.exchange.request.method as string);
  }

  private bodyOf({ head, request, response }: Exchange): RequestBody {
    return new RequestBody(request, head.expectsContinue ? response : null, () => this.progress());
  }

  private passHead(call: UpstreamCall, status: number, reason: string): void {
    const { exchange } = this;
    const answer = readAnswerHead(call.rawHeaders, status);
    const { headers } = answer;
    if (!answer.isPlain) return this.onFailed(call, 'broken');
    headers.push('X-Request-Id', exchange.head.requestId);
    if (exchange.mustClose()) headers.push('Connection', 'close');
    try {
      exchange.response.writeHead(status, plainReason(status, reason), headers);
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
    this.body?.destroy(); // what is left of it is read by the exchange, and must not be paused any more
    this.exchange.finish(chunk, this.answer !== null && this.answer.lengthBytes < 0);
  }

  private refuse(call: UpstreamCall | null, error: AppError): void {
    call?.drop();
    this.forgetFirst();
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
