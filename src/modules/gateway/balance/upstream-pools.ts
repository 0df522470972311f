import type { LookupAddress } from 'node:dns';
import { Client, type Dispatcher, Pool, type buildConnector } from 'undici';
import { checkedConnector } from '../../../platform/egress/checked-connector';
import { hostOf } from '../../../platform/egress/egress-target';

/** Where a tenant's upstreams may be, and how their names are resolved. */
export interface UpstreamEgress {
  mayConnect(address: string): boolean;
  resolve(hostname: string): Promise<LookupAddress[]>;
}

export interface PoolLimits {
  /** Connections of one tenant to one origin, and attempts that hold them: each finds one free or may open it. */
  connections: number;
  /** Pools that are kept; those in use stay, however many they are. */
  pools: number;
  /** A pool that nobody used for so long goes. */
  idleMs: number;
  connectTimeoutMs: number;
}

const LIMITS: PoolLimits = { connections: 1_024, pools: 5_000, idleMs: 300_000, connectTimeoutMs: 5_000 };

const CLIENT = {
  pipelining: 1,
  // Below the 5 s after which Node and Apache close, so that few requests meet a connection that is being closed.
  keepAliveTimeout: 4_000,
  keepAliveMaxTimeout: 60_000,
  // undici's own time-outs tick by the second: whoever sends the request times it.
  headersTimeout: 0,
  bodyTimeout: 0,
  maxHeaderSize: 16_384,
  allowH2: false,
} as const;

/** The connections of one tenant to one origin. */
export class OriginPool {
  /** Attempts that hold it. */
  inFlight = 0;
  /** Grows with each use of any pool, so that they can be told by age. */
  lastUse = 0;
  /** The use that was its last when somebody last looked, and since when. */
  idle = { lastUse: 0, sinceMs: 0 };
  /** It is closed, or being closed: another takes its place. */
  closed = false;
  readonly dispatcher: Dispatcher;

  constructor(
    readonly key: string,
    private readonly origin: URL,
    private readonly connect: buildConnector.connector,
    private readonly connections: number,
  ) {
    this.dispatcher = new Pool(origin, { ...CLIENT, connect, connections });
  }

  /** Whether another attempt would have to wait for a connection, by no fault of the upstream. */
  get isFull(): boolean {
    return this.inFlight >= this.connections;
  }

  /** One connection of its own, beside the pool's. */
  single(): Client {
    return new Client(this.origin, { ...CLIENT, connect: this.connect });
  }

  /** Opens a connection and closes it again, having said nothing. */
  canConnect(): Promise<boolean> {
    const { host, protocol, port } = this.origin;
    return new Promise((resolve) => {
      this.connect({ host, hostname: hostOf(this.origin), protocol, port }, (error, socket) => {
        socket?.on('error', () => undefined).destroy();
        resolve(error === null);
      });
    });
  }
}

/**
 * Keep-alive connections to upstreams, apart for each tenant and origin, so that the slow upstream of one tenant takes nothing
 * from another. Every connection goes to an address that was checked for it; TLS is verified; HTTP/1.1.
 */
export class UpstreamPools {
  private readonly pools = new Map<string, OriginPool>();
  private readonly limits: PoolLimits;
  private uses = 0;

  constructor(
    private readonly egress: UpstreamEgress,
    limits: Partial<PoolLimits> = {},
    private readonly nowMs: () => number = () => performance.now(),
  ) {
    this.limits = { ...LIMITS, ...limits };
  }

  /** How many there are. */
  get size(): number {
    return this.pools.size;
  }

  /** The tenant's connections to the origin: hold it for as long as a request uses it. */
  of(tenantId: string, origin: URL): OriginPool {
    return this.known(tenantId, origin) ?? this.open(keyOf(tenantId, origin), origin);
  }

  /** The same, where there are any. */
  known(tenantId: string, origin: URL): OriginPool | undefined {
    return this.pools.get(keyOf(tenantId, origin));
  }

  /** It is in use until it is released as often as it is held. */
  hold(pool: OriginPool): void {
    pool.inFlight += 1;
    pool.lastUse = this.uses += 1;
  }

  release(pool: OriginPool): void {
    pool.inFlight -= 1;
  }

  /** Closes what nobody has used since the time is over. To be called now and then. */
  closeIdle(): void {
    const nowMs = this.nowMs();
    for (const pool of this.pools.values()) {
      if (pool.inFlight > 0 || pool.lastUse !== pool.idle.lastUse)
        pool.idle = { lastUse: pool.lastUse, sinceMs: nowMs };
      else if (nowMs - pool.idle.sinceMs >= this.limits.idleMs) this.drop(pool);
    }
  }

  /** Ends every connection; requests under way fail. */
  async close(): Promise<void> {
    const pools = [...this.pools.values()];
    this.pools.clear();
    await Promise.all(
      pools.map((pool) => {
        pool.closed = true;
        return pool.dispatcher.destroy();
      }),
    );
  }

  private open(key: string, { origin }: URL): OriginPool {
    if (this.pools.size >= this.limits.pools) this.makeRoom();
    const connect = checkedConnector({
      mayConnect: (address) => this.egress.mayConnect(address),
      resolve: (hostname) => this.egress.resolve(hostname),
      timeoutMs: this.limits.connectTimeoutMs,
    });
    const pool = new OriginPool(key, new URL(origin), connect, this.limits.connections);
    pool.idle.sinceMs = this.nowMs();
    this.pools.set(key, pool);
    return pool;
  }

  /** The longest unused goes, if there is one that is not in use. */
  private makeRoom(): void {
    let oldest: OriginPool | undefined;
    for (const pool of this.pools.values())
      if (pool.inFlight === 0 && (!oldest || pool.lastUse < oldest.lastUse)) oldest = pool;
    if (oldest) this.drop(oldest);
  }

  private drop(pool: OriginPool): void {
    pool.closed = true;
    this.pools.delete(pool.key);
    pool.dispatcher.close().catch(() => undefined);
  }
}

const keyOf = (tenantId: string, { origin }: URL): string => `${tenantId} ${origin}`;
