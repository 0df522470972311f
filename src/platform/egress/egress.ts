import { lookup } from 'node:dns/promises';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream';
import { Client, type Dispatcher } from 'undici';
import { checkedConnector, type Resolver } from './checked-connector';
import { asEgressFailure, EgressFailure } from './egress-failure';
import { targetOf } from './egress-target';
import { publicAddresses } from './public-addresses';

/** What is asked for. */
export interface EgressRequest {
  method?: 'GET' | 'POST';
  /** Sent to the origin that the address names, and to no other that it redirects to. */
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** Bytes of the answer's body; what is larger fails FILE_TOO_LARGE, as soon as that is known. */
  maxBytes: number;
  limits?: Partial<EgressLimits>;
  signal?: AbortSignal;
}

/** How long each part may take. */
export interface EgressLimits {
  connectMs: number;
  /** From the request until the headers are there, of each hop. */
  headersMs: number;
  /** All of it, redirects and body included. */
  totalMs: number;
}

/** The answer; its body streams as it comes and has to be read to its end or destroyed. It fails with EgressFailure only. */
export interface EgressAnswer {
  status: number;
  headers: Dispatcher.ResponseData['headers'];
  body: Readable;
  /** Where it came from, after redirects. */
  url: URL;
}

export interface EgressOptions {
  /** Networks beyond the public internet that may be connected to. */
  allowed: readonly string[];
  /** Of this product, without a version: whoever is called learns no more. */
  userAgent?: string;
  resolve?: Resolver;
}

const LIMITS: EgressLimits = { connectMs: 5_000, headersMs: 15_000, totalMs: 60_000 };
const MAX_REDIRECTS = 5;
const REDIRECTS = [301, 302, 303, 307, 308];

/**
 * The one HTTP client for addresses that tenants name. It goes to the public internet and nowhere else, checked at every
 * connection; it follows redirects itself, only for GET, at most five, never from https to http; it knows no proxy, no cookies
 * and no compression, and no connection is used twice.
 */
export class Egress {
  private readonly mayConnect: (address: string) => boolean;
  private readonly resolve: Resolver;
  private readonly userAgent: string;

  constructor({ allowed, userAgent = 'Switchboard', resolve }: EgressOptions) {
    this.mayConnect = publicAddresses(allowed);
    this.resolve = resolve ?? ((hostname) => lookup(hostname, { all: true }));
    this.userAgent = userAgent;
  }

  /**
   * What can be said of an address without asking anybody; names are not resolved.
   * @throws EgressFailure EGRESS_REFUSED
   */
  check(address: string): URL {
    return targetOf(address, this.mayConnect);
  }

  /**
   * Asks the address. Any status is an answer.
   * @throws EgressFailure
   */
  async fetch(address: string, request: EgressRequest): Promise<EgressAnswer> {
    const deadline = new Deadline({ ...LIMITS, ...request.limits }, request.signal);
    try {
      return await this.follow(this.check(address), request, deadline);
    } catch (error) {
      deadline.clear();
      throw asEgressFailure(deadline.reason ?? error);
    }
  }

  private async follow(first: URL, request: EgressRequest, deadline: Deadline): Promise<EgressAnswer> {
    let url = first;
    for (let hops = 0; ; hops += 1) {
      const { answer, client } = await this.ask(
        url,
        { ...request, headers: headersFor(url, first, request) },
        deadline,
      );
      const next = request.method === 'POST' ? null : this.redirectOf(answer, url);
      if (next === null) return { ...answerOf(answer, request.maxBytes, { client, deadline }), url };
      // What is left of it is nobody's: its connection goes.
      answer.body.on('error', () => undefined);
      await client.destroy();
      if (hops === MAX_REDIRECTS) throw new EgressFailure('EGRESS_REFUSED', 'It redirects too often');
      url = next;
    }
  }

  private async ask(url: URL, { method = 'GET', headers, body }: EgressRequest, deadline: Deadline) {
    const { connectMs, headersMs } = deadline.limits;
    const connect = checkedConnector({
      mayConnect: this.mayConnect,
      resolve: this.resolve,
      timeoutMs: connectMs,
    });
    // undici's own time-outs tick by the second; ours abort. One client a hop: nothing of one tenant's is left for another.
    const client = new Client(url.origin, { connect, pipelining: 0, headersTimeout: 0, bodyTimeout: 0 });
    const own = { 'user-agent': this.userAgent, accept: '*/*', 'accept-encoding': 'identity' };
    const endWait = deadline.within(headersMs, 'It did not answer in time');
    try {
      const answer = await client.request({
        ...{ path: url.pathname + url.search, method, body: body ?? null, signal: deadline.signal },
        headers: { ...own, ...headers },
      });
      return { answer, client };
    } catch (error) {
      await client.destroy();
      throw error;
    } finally {
      endWait();
    }
  }

  private redirectOf({ statusCode, headers }: Dispatcher.ResponseData, from: URL): URL | null {
    const { location } = headers;
    if (!REDIRECTS.includes(statusCode) || typeof location !== 'string') return null;
    const next = targetOf(location, this.mayConnect, from);
    if (from.protocol === 'https:' && next.protocol === 'http:')
      throw new EgressFailure('EGRESS_REFUSED', 'It redirects from https to http');
    return next;
  }
}

const headersFor = (url: URL, first: URL, { headers }: EgressRequest): Record<string, string> | undefined =>
  url.origin === first.origin ? headers : undefined;

/** What has to be given back when the body has ended. */
interface Held {
  client: Client;
  deadline: Deadline;
}

function answerOf({ statusCode: status, headers, body }: Dispatcher.ResponseData, maxBytes: number, held: Held) {
  const limited = new BodyLimit(maxBytes, held.deadline);
  // The client ends with the body, however that ends.
  pipeline(body, limited, () => {
    held.deadline.clear();
    held.client.destroy().catch(() => undefined);
  });
  if (Number(headers['content-length']) > maxBytes) limited.destroy(tooLarge(maxBytes));
  return { status, headers, body: limited as Readable };
}

/** Lets so many bytes pass, and makes of each error the one kind. */
class BodyLimit extends Transform {
  private seen = 0;

  constructor(
    private readonly maxBytes: number,
    private readonly deadline: Deadline,
  ) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error: Error | null, data?: Buffer) => void) {
    this.seen += chunk.length;
    if (this.seen > this.maxBytes) done(tooLarge(this.maxBytes));
    else done(null, chunk);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    done(error && asEgressFailure(this.deadline.reason ?? error));
  }
}

const tooLarge = (maxBytes: number): EgressFailure =>
  new EgressFailure('FILE_TOO_LARGE', `It is larger than ${maxBytes} bytes`);

/** Ends a request that takes too long; `reason` says why it was ended. */
class Deadline {
  readonly signal: AbortSignal;
  private readonly controller = new AbortController();
  private readonly endTotal: () => void;
  private own: EgressFailure | undefined;

  constructor(
    readonly limits: EgressLimits,
    given: AbortSignal | undefined,
  ) {
    this.signal = given ? AbortSignal.any([this.controller.signal, given]) : this.controller.signal;
    this.endTotal = this.within(limits.totalMs, 'It took too long');
  }

  get reason(): EgressFailure | undefined {
    return this.own;
  }

  /** Ends the request after that time, unless what it gives back is called before. */
  within(ms: number, message: string): () => void {
    const timer = setTimeout(() => {
      this.own = new EgressFailure('EGRESS_FAILED', message);
      this.controller.abort(this.own);
    }, ms);
    return () => clearTimeout(timer);
  }

  clear(): void {
    this.endTotal();
  }
}
