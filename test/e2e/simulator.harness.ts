import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the tests look at in an envelope. */
interface Envelope {
  id: string;
  timestamp: number;
  event: string;
  payload: Record<string, unknown>;
}

/** One webhook call as it came. */
interface Received {
  headers: IncomingHttpHeaders;
  raw: string;
  event: Envelope;
}

/** A webhook receiver that answers with the statuses given, in order, and then with 200. */
export class Receiver {
  readonly received: Received[] = [];
  statuses: number[] = [];

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const raw = Buffer.concat(chunks).toString();
        this.received.push({ headers: request.headers, raw, event: JSON.parse(raw) as Envelope });
        response.writeHead(this.statuses.shift() ?? 200).end();
      });
    });
  }

  /** Listens on a free port of the loopback address. */
  static async start(): Promise<Receiver> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Receiver(server);
  }

  /** Where it is called. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }

  /** The calls of that event, in the order of their arrival. */
  of(name: string): Received[] {
    return this.received.filter(({ event }) => event.event === name);
  }

  /** The first call of that event; throws when there is none. */
  first(name: string): Received {
    const [first] = this.of(name);
    if (first === undefined) throw new Error(`No ${name} was received`);
    return first;
  }

  /** The payloads of that event, in the order of their arrival. */
  payloads(name: string): Array<Record<string, unknown>> {
    return this.of(name).map(({ event }) => event.payload);
  }

  /** Cuts all connections. */
  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

interface Call {
  method: string;
  url: string;
  body: unknown;
  headers: Record<string, string>;
  timeoutMs?: number;
}

/** Calls by HTTP and rejects after the time-out; `body` is what came as JSON, undefined for anything else. */
export async function callJson({ method, url, body, headers, timeoutMs = 20_000 }: Call) {
  const json = body === undefined ? {} : { 'content-type': 'application/json' };
  const text = body === undefined ? null : JSON.stringify(body);
  const signal = AbortSignal.timeout(timeoutMs);
  const response = await fetch(url, { method, headers: { ...json, ...headers }, body: text, signal });
  const bytes = Buffer.from(await response.arrayBuffer());
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
  return { status: response.status, bytes, body: isJson ? JSON.parse(bytes.toString()) : undefined };
}

/** Every path of an object, without the values. */
export function keysOf(value: unknown, prefix = ''): string[] {
  if (typeof value !== 'object' || value === null) return [prefix];
  return Object.entries(value)
    .flatMap(([key, inner]) => keysOf(inner, `${prefix}.${key}`))
    .sort();
}
