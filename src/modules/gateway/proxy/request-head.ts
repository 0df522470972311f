import type { IncomingMessage } from 'node:http';
import type { AppError } from '../../../common/app-error';
import { requestIdOf } from '../../../platform/context/request-id';
import { HeaderKind, kindOf, namedIn, removeNamed } from './header-kinds';
import { ProxyErrors } from './proxy.errors';
import { checkTarget } from './request-target';

/** RFC 3986 §3.2.2 without its rarer characters, and a port. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;
const LENGTH = /^\d{1,15}$/;

/** Methods that make a proxy talk about itself, or that are no request. */
export const REFUSED_METHODS: ReadonlySet<string> = new Set(['TRACE', 'CONNECT', 'TRACK']);

/** What a request says of itself, read once from the raw headers. */
export class RequestHead {
  /** Why it is refused; null: it is sound. Whatever is the first found. */
  problem: AppError | null = null;
  /**
   * The client's own where it came once and is a sane value, else a new one: the same in the log, for the upstream and in the
   * answer. It alone of what a client says under the gateway's names is believed, for a trace to go through all of its stations.
   */
  requestId = '';
  /** Of `X-API-Key`; null unless it came exactly once. */
  key: string | null = null;
  /** As it was sent; '' for HTTP/1.0 without one. */
  host = '';
  /** Of the path in the target; the query follows. */
  pathLength = 0;
  /** As it was sent; null: none. */
  contentLength: string | null = null;
  chunked = false;
  expectsContinue = false;
  /** Of `Upgrade`, in lower case; null: none. */
  upgrade: string | null = null;
  /** What may go on, names and values in turn as they came; its first pair is kept free for `Host`. */
  readonly passed: string[] = ['host', ''];

  private keys = 0;
  private hosts = 0;
  private requestIds = 0;
  private clientsId = '';
  /** Never `host`: that ends at no hop, and its place is kept. */
  private named: Set<string> | null = null;

  constructor(request: IncomingMessage) {
    const { rawHeaders } = request;
    const { passed } = this;
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] as string;
      const kind = kindOf(name);
      if (kind === HeaderKind.endToEnd) passed.push(name, rawHeaders[i + 1] as string);
      else if (kind > HeaderKind.ours) this.take(kind, rawHeaders[i + 1] as string);
    }
    if (this.named !== null) removeNamed(passed, this.named);
    this.requestId = requestIdOf(this.requestIds === 1 ? this.clientsId : undefined);
    if (this.keys !== 1) this.key = null;
    this.judge(request);
  }

  get hasBody(): boolean {
    return this.chunked || (this.contentLength !== null && this.contentLength !== '0');
  }

  private take(kind: HeaderKind, value: string): void {
    switch (kind) {
      case HeaderKind.host:
        this.hosts += 1;
        this.host = value;
        break;
      case HeaderKind.key:
        this.keys += 1;
        this.key = value;
        break;
      case HeaderKind.connection:
        this.named = namedIn(value, this.named);
        this.named?.delete('host');
        break;
      case HeaderKind.requestId:
        this.requestIds += 1;
        this.clientsId = value;
        break;
      case HeaderKind.upgrade:
        this.upgrade = value.toLowerCase();
        break;
      case HeaderKind.expect:
        this.expectsContinue ||= value.toLowerCase() === '100-continue';
        break;
      default:
        this.takeFraming(kind, value);
    }
  }

  private takeFraming(kind: HeaderKind, value: string): void {
    if (kind === HeaderKind.contentLength) {
      if (this.contentLength !== null || !LENGTH.test(value)) this.problem = ProxyErrors.framing;
      this.contentLength = value;
    } else {
      if (this.chunked || value.toLowerCase() !== 'chunked') this.problem = ProxyErrors.framing;
      this.chunked = true;
    }
  }

  private judge(request: IncomingMessage): void {
    if (this.problem !== null) return;
    if (request.httpVersionMajor !== 1) this.problem = ProxyErrors.malformed;
    else if (this.chunked && this.contentLength !== null) this.problem = ProxyErrors.framing;
    else if (!this.hasSoundHost(request)) this.problem = ProxyErrors.host;
    else if (REFUSED_METHODS.has(request.method as string)) this.problem = ProxyErrors.method;
    else this.judgeTarget(request.url as string);
  }

  private judgeTarget(target: string): void {
    const checked = checkTarget(target);
    if (typeof checked === 'number') this.pathLength = checked;
    else this.problem = checked;
  }

  private hasSoundHost(request: IncomingMessage): boolean {
    if (this.hosts === 1) return isHost(this.host);
    return this.hosts === 0 && request.httpVersionMinor === 0;
  }
}

/** Whether it is the value of a `Host` that the gateway takes. */
export const isHost = (host: string): boolean => HOST.test(host);

/** A host as routes are matched by it: lower case, without its port, and without the dot of DNS's root at its end. */
export function hostName(host: string): string {
  const bracket = host.indexOf(']');
  const colon = host.indexOf(':', bracket + 1);
  const end = colon < 0 ? host.length : colon;
  return host.slice(0, host[end - 1] === '.' ? end - 1 : end).toLowerCase();
}
