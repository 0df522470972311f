import { performance } from 'node:perf_hooks';
import type { Duplex } from 'node:stream';
import type { Client, Dispatcher } from 'undici';
import type { AttemptFailure, Upstream } from '../balance/balancer';
import { isExhaustion } from '../balance/exhaustion';
import type { EgressFailureCode } from '../../../platform/egress/egress-failure';
import type { RequestBody } from './request-body';

/** What is asked of an upstream. */
export interface CallRequest {
  readonly method: string;
  /** With the query; the upstream's base path goes before it. */
  readonly target: string;
  /** Names and values in turn, `Host` first. */
  readonly headers: string[];
  readonly body: RequestBody | null;
  readonly timeoutMs: number;
  /** Whether a WebSocket is asked for. */
  readonly isUpgrade: boolean;
}

/** `exhausted`: this machine can open no connection, by no fault of the upstream. Null: the request itself cannot be sent. */
export type CallFailure = AttemptFailure | 'exhausted' | null;

/** Who waits for what comes of an attempt. Nothing is told any more of one that was dropped or finished. */
export interface CallOwner {
  /** An answer before the final one: a status from 102 to 199. Any number of them may come. */
  onInterim(call: UpstreamCall, status: number, reason: string): void;
  onHead(call: UpstreamCall, status: number, reason: string): void;
  onData(call: UpstreamCall, chunk: Buffer): void;
  onEnd(call: UpstreamCall): void;
  onUpgraded(call: UpstreamCall, status: number, socket: Duplex): void;
  onFailed(call: UpstreamCall, failure: CallFailure): void;
  /** The head did not come in time. */
  onLate(call: UpstreamCall): void;
}

const DROPPED = new Error('The attempt was given up');
const nothing = (): void => undefined;

const EGRESS_REFUSED: EgressFailureCode = 'EGRESS_REFUSED';
const NOT_SENDABLE = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED', 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH']);
const TIMED_OUT = new Set(['UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT']);
const NO_HTTP = new Set(['UND_ERR_HEADERS_OVERFLOW', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'ERR_ASSERTION']);

/** What an error of undici, of a socket or of the check of addresses is. */
export function failureOf(error: Error): CallFailure {
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string') return 'unreachable';
  if (NOT_SENDABLE.has(code)) return null;
  if (TIMED_OUT.has(code)) return 'timeout';
  if (isExhaustion(error)) return 'exhausted';
  if (code === EGRESS_REFUSED) return 'refused';
  return NO_HTTP.has(code) || code.startsWith('HPE_') ? 'broken' : 'unreachable';
}

/** One request to one upstream: undici's handler, with the time until the head, given back exactly once. */
export class UpstreamCall implements Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | null = null;
  private client: Client | null = null;
  private timer: NodeJS.Timeout | undefined;
  private startedAt = 0;
  private isOver = false;
  /** It is undici's until a connection has taken it or it has failed: undici does not take back what waits. */
  private isQueued = false;
  private isGivenBack = false;

  constructor(
    private readonly owner: CallOwner,
    readonly upstream: Upstream,
    private readonly request: CallRequest,
  ) {}

  /** Milliseconds since its start. */
  get elapsedMs(): number {
    return performance.now() - this.startedAt;
  }

  /** Whether a byte of it may have left; false: the upstream has not seen it, nor will it once it is dropped. */
  get wasSent(): boolean {
    return this.controller !== null;
  }

  /** Of the answer, as the parser gave them. */
  get rawHeaders(): Uint8Array[] {
    return (this.controller?.rawHeaders ?? []) as Uint8Array[];
  }

  start(): void {
    const { upstream, request } = this;
    this.startedAt = performance.now();
    this.timer = setTimeout(tellLate, request.timeoutMs, this);
    this.client = request.isUpgrade ? upstream.single() : null;
    this.isQueued = true;
    (this.client ?? upstream.dispatcher).dispatch(
      {
        origin: upstream.origin,
        path: upstream.basePath === '' ? request.target : upstream.basePath + request.target,
        method: request.method,
        headers: request.headers,
        body: request.body,
        upgrade: request.isUpgrade ? 'websocket' : null,
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      this,
    );
  }

  pause(): void {
    this.controller?.pause();
  }

  resume(): void {
    if (!this.isOver) this.controller?.resume();
  }

  /** Counts the time until the head from now on. */
  waitAnew(): void {
    this.timer?.refresh();
  }

  /** All of it came: its connection may serve the next. */
  finish(): void {
    if (!this.settle()) return;
    void this.client?.close(nothing);
    this.giveBack();
  }

  /**
   * Nobody wants it any more: its connection is closed, also before its head. One that has not begun counts as under way
   * until its connection is there or has failed, so that what waits in undici is bounded.
   */
  drop(): void {
    if (!this.settle() || this.isQueued) return;
    this.controller?.abort(DROPPED);
    this.endDropped();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.isQueued = false;
    if (!this.isOver) {
      this.controller = controller;
      return;
    }
    controller.abort(DROPPED);
    this.endDropped();
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, _headers: object, reason = ''): void {
    if (this.isOver) return;
    if (status < 200) {
      // A change of protocol that nobody asked for is no answer. 100 does not come here: see passOverContinue.
      if (status <= 101) this.owner.onFailed(this, 'broken');
      else this.owner.onInterim(this, status, reason);
      return;
    }
    this.stopTimer();
    this.owner.onHead(this, status, reason);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.isOver) this.owner.onData(this, chunk);
  }

  onResponseEnd(): void {
    if (!this.isOver) this.owner.onEnd(this);
  }

  onRequestUpgrade(_controller: Dispatcher.DispatchController, status: number, _headers: object, socket: Duplex): void {
    this.stopTimer();
    if (this.isOver) socket.on('error', nothing).destroy();
    else this.owner.onUpgraded(this, status, socket);
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.isQueued = false;
    if (this.isOver) this.endDropped();
    else this.owner.onFailed(this, failureOf(error));
  }

  /** The timer's. */
  tellLate(): void {
    if (!this.isOver) this.owner.onLate(this);
  }

  private stopTimer(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private settle(): boolean {
    if (this.isOver) return false;
    this.isOver = true;
    this.stopTimer();
    return true;
  }

  private endDropped(): void {
    void this.client?.destroy(DROPPED, nothing);
    this.giveBack();
  }

  private giveBack(): void {
    if (this.isGivenBack) return;
    this.isGivenBack = true;
    this.upstream.release();
  }
}

const tellLate = (call: UpstreamCall): void => call.tellLate();
