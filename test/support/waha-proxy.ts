import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A call to WAHA as the proxy sees it. */
export interface WahaCall {
  method: string;
  /** With its query. */
  path: string;
  /** As text; empty when there is none. */
  body: string;
}

/**
 * What becomes of a call: never answered; answered as WAHA does, but only after something else has happened; or answered so,
 * after WAHA has done it or without asking WAHA.
 */
export type Spoiled =
  'hang' | { after: () => Promise<unknown> } | { status: number; body: object | string; done?: boolean };

/** Stands between the service and WAHA's stand-in, and spoils the answers that a test wants spoiled. */
export interface WahaProxy {
  url: string;
  /** Every call, in the order in which they came. */
  calls: (WahaCall & { atMs: number })[];
  /** Where calls go; until this is said they wait. */
  leadTo(url: string): void;
  /** What is spoiled from now on; undefined leaves a call alone. */
  spoil(rule: (call: WahaCall) => Spoiled | undefined): void;
  close(): Promise<void>;
}

/** Starts one on a free port of this machine. */
export async function startWahaProxy(): Promise<WahaProxy> {
  let lead: (url: string) => void = () => undefined;
  const target = new Promise<string>((resolve) => {
    lead = resolve;
  });
  let rule: (call: WahaCall) => Spoiled | undefined = () => undefined;
  const calls: WahaProxy['calls'] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const call = { method: request.method ?? 'GET', path: request.url ?? '/', body: await text(request) };
    calls.push({ ...call, atMs: performance.now() });
    const spoiled = rule(call);
    if (spoiled === 'hang') return;
    if (spoiled === undefined) return passOn(await forward(await target, call, request), response);
    if ('after' in spoiled) {
      const said = await forward(await target, call, request);
      await spoiled.after();
      return passOn(said, response);
    }
    if (spoiled.done) await forward(await target, call, request);
    const body = typeof spoiled.body === 'string' ? spoiled.body : JSON.stringify(spoiled.body);
    response.writeHead(spoiled.status, { 'content-type': 'application/json' }).end(body);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    leadTo: lead,
    spoil: (next) => {
      rule = next;
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function forward(target: string, { method, path, body }: WahaCall, { headers }: IncomingMessage): Promise<Response> {
  const kept = ['x-api-key', 'accept', 'content-type'].flatMap((name) => {
    const value = headers[name];
    return typeof value === 'string' ? [[name, value] as [string, string]] : [];
  });
  return fetch(target + path, { method, headers: kept, body: body === '' ? undefined : body });
}

async function passOn(answer: Response, response: ServerResponse): Promise<void> {
  const bytes = Buffer.from(await answer.arrayBuffer());
  const type = answer.headers.get('content-type');
  response.writeHead(answer.status, type === null ? {} : { 'content-type': type }).end(bytes);
}
