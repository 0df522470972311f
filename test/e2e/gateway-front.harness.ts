import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import {
  type AddressInfo,
  connect,
  createServer as createSocketServer,
  type Server as SocketServer,
  type Socket,
} from 'node:net';
import { type Duplex, Writable } from 'node:stream';
import { pino } from 'pino';
import type { Actor } from '../../src/common/actor';
import type { AttemptFailure, Balancer, Upstream } from '../../src/modules/gateway/balance/balancer';
import { UpstreamBalancer } from '../../src/modules/gateway/balance/upstream-balancer';
import { type PoolLimits, type UpstreamEgress, UpstreamPools } from '../../src/modules/gateway/balance/upstream-pools';
import { UpstreamTargets } from '../../src/modules/gateway/balance/upstream-targets';
import { GatewayEgress } from '../../src/modules/gateway/gateway-egress';
import type { GatewayRoute } from '../../src/modules/gateway/gateway-route';
import { type FrontParts, GatewayFront } from '../../src/modules/gateway/proxy/front';
import { closeGatewayServer, createGatewayServer } from '../../src/modules/gateway/proxy/gateway-server';
import type { EndedExchange, KeyVerdict, LimitVerdict, RouteTable } from '../../src/modules/gateway/proxy/parts';

export const KEY = 'sbk_testtest_secret';
export const TENANT = '01890000-0000-7000-8000-00000000000a';

export const ACTOR: Actor = {
  kind: 'key',
  id: '01890000-0000-7000-8000-00000000000b',
  tenantId: TENANT,
  role: null,
  scopes: [],
  requestsPerMinute: null,
  loginId: null,
};

/** A route that takes all, over these upstreams in their order. */
export const routeTo = (urls: readonly string[], changes: Partial<GatewayRoute> = {}): GatewayRoute => ({
  id: '01890000-0000-7000-8000-00000000000c',
  tenantId: TENANT,
  path: '/',
  pathType: 'prefix',
  methods: null,
  host: null,
  priority: 0,
  upstreams: urls.map((url) => ({ url, weight: 1 })),
  strategy: 'first',
  stripPrefix: false,
  rewrite: null,
  timeoutMs: 10_000,
  retries: 0,
  headers: { set: {}, remove: [] },
  rateLimitPerMinute: null,
  enabled: true,
  ...changes,
});

/** What became of one attempt. */
export interface Told {
  url: string;
  statuses: number[];
  failures: AttemptFailure[];
  releases: number;
}

/** The service's own balancing, health and connections, to upstreams of this machine; notes what it is told. */
export class NotingBalancer implements Balancer {
  readonly told: Told[] = [];
  readonly pools: UpstreamPools;
  readonly targets: UpstreamTargets;
  private readonly balancer: UpstreamBalancer;

  constructor({ egress = new GatewayEgress({ allowed: ['127.0.0.0/8'] }), limits }: BalancerOptions) {
    this.pools = new UpstreamPools(egress, limits);
    this.targets = new UpstreamTargets(this.pools);
    this.balancer = new UpstreamBalancer(this.targets);
  }

  pick(route: GatewayRoute, tried: readonly string[]): Upstream | null {
    const picked = this.balancer.pick(route, tried);
    if (picked === null) return null;
    const { url, dispatcher, origin, authority, basePath } = picked;
    const told: Told = { url, statuses: [], failures: [], releases: 0 };
    this.told.push(told);
    return {
      ...{ url, dispatcher, origin, authority, basePath },
      single: () => picked.single(),
      answered: (status, latencyMs) => {
        told.statuses.push(status);
        picked.answered(status, latencyMs);
      },
      failed: (failure) => {
        told.failures.push(failure);
        picked.failed(failure);
      },
      release: () => {
        told.releases += 1;
        picked.release();
      },
    };
  }

  close(): Promise<void> {
    return this.pools.close();
  }
}

interface BalancerOptions {
  /** In the place of one for which this machine is public. */
  egress?: UpstreamEgress;
  limits?: Partial<PoolLimits>;
}

interface RigOptions extends BalancerOptions {
  route?: Partial<GatewayRoute>;
  keys?: (secret: string, address: string) => KeyVerdict | Promise<KeyVerdict>;
  limit?: () => LimitVerdict | null;
  match?: RouteTable['match'];
  server?: ServerOptions;
  traffic?: FrontParts['traffic'];
  trustedProxies?: string[];
}

/** A gateway on a port of its own before these upstreams. */
export class Rig {
  readonly ended: EndedExchange[] = [];
  readonly lines: Record<string, unknown>[] = [];
  readonly balancer: NotingBalancer;
  readonly front: GatewayFront;
  readonly server: Server;
  readonly route: GatewayRoute;
  private readonly waiting: (() => void)[] = [];

  constructor(urls: readonly string[], options: RigOptions = {}) {
    this.route = routeTo(urls, options.route);
    this.balancer = new NotingBalancer(options);
    const find = options.keys ?? ((secret: string) => (secret === KEY ? ACTOR : null));
    const logger = pino({}, this.sink());
    this.front = new GatewayFront({
      keys: { find },
      tables: {
        of: () => ({
          match:
            options.match ??
            ((_method, _host, path) => (path.startsWith('/none') ? null : { route: this.route, path })),
        }),
      },
      limits: { take: options.limit ?? (() => null) },
      balancer: this.balancer,
      observer: {
        ended: (exchange) => {
          this.ended.push(exchange);
          for (const told of this.waiting.splice(0)) told();
        },
      },
      logger,
      securityHeaders: { 'x-content-type-options': 'nosniff' },
      trustedProxies: options.trustedProxies ?? [],
      traffic: { sweepMs: 20, ...options.traffic },
    });
    this.server = createGatewayServer(this.front, {
      logger,
      securityHeaders: { 'x-content-type-options': 'nosniff' },
      settings: options.server,
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async open(): Promise<this> {
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
    return this;
  }

  /** Waits until so many exchanges have ended. */
  async untilEnded(count: number): Promise<EndedExchange> {
    while (this.ended.length < count) await new Promise<void>((resolve) => this.waiting.push(resolve));
    return this.ended[count - 1] as EndedExchange;
  }

  async close(): Promise<void> {
    await closeGatewayServer(this.server, this.front, 0);
    this.front.close();
    await this.balancer.close();
  }

  private sink(): Writable {
    return new Writable({
      write: (line: Buffer, _encoding, done) => {
        this.lines.push(JSON.parse(line.toString()) as Record<string, unknown>);
        done();
      },
    });
  }
}

/** Something that listens, and all its connections. */
export interface Listening {
  readonly url: string;
  readonly port: number;
  readonly sockets: Set<Socket>;
  close(): Promise<void>;
}

async function listening(server: SocketServer): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}`, port, sockets, close };
}

/** An HTTP upstream; where it takes WebSockets it is told of each. */
export function serveHttp(handler: RequestListener, upgraded?: (socket: Duplex) => void): Promise<Listening> {
  const server = createServer(handler);
  if (upgraded) server.on('upgrade', (_request, socket) => upgraded(socket));
  return listening(server);
}

/** An upstream that is handed its sockets. */
export const serveSockets = (handler: (socket: Socket) => void): Promise<Listening> =>
  listening(createSocketServer(handler));

/** An upstream that answers each request head with these bytes, then closes where it says so. */
export const serveBytes = (answer: string | Buffer, close = false): Promise<Listening> =>
  serveSockets((socket) => {
    let seen = '';
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.toString('latin1');
      if (!seen.includes('\r\n\r\n')) return;
      seen = '';
      if (close) socket.end(answer);
      else socket.write(answer);
    });
  });

/** Bytes over a connection of their own, and what came back until it closed or the text was there. */
export async function exchangeBytes(port: number, sent: string, until?: string | RegExp): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  await new Promise<void>((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      if (until !== undefined && received.search(until) >= 0) resolve();
    });
    socket
      .on('close', () => resolve())
      .on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNRESET' || error.code === 'EPIPE') resolve();
        else reject(error);
      });
    socket.write(sent, 'latin1');
  });
  socket.destroy();
  return received;
}

/** Waits until the condition holds; the test's own limit ends it. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
