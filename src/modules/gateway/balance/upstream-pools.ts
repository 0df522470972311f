import type { LookupAddress } from 'node:dns';
import { checkedConnector } from '../../../platform/egress/checked-connector';
import { OriginPool } from './origin-pool';
import { TenantConnections } from './tenant-connections';

/** Where a tenant's upstreams may be, and how their names are resolved. */
export interface UpstreamEgress {
  mayConnect(address: string): boolean;
  resolve(hostname: string): Promise<LookupAddress[]>;
}

export interface PoolLimits {
  /** Connections of one tenant to one origin, and attempts that hold them: each finds one free or may open it. */
  connections: number;
  /** The same of one tenant to all its origins together. */
  ofTenant: number;
  /** Pools that are kept; those in use stay, however many they are. Beyond it whoever has most gives up the one longest unused. */
  pools: number;
  /** A pool that nobody used for so long goes. */
  idleMs: number;
  connectTimeoutMs: number;
}

const LIMITS: PoolLimits = {
  connections: 1_024,
  ofTenant: 4_096,
  pools: 5_000,
  idleMs: 300_000,
  connectTimeoutMs: 5_000,
};

/**
 * Keep-alive connections to upstreams, apart for each tenant and origin, so that the slow upstream of one tenant takes nothing
 * from another; no tenant has more of them than it may, to however many origins. Every connection goes to an address that was
 * checked for it; TLS is verified; HTTP/1.1.
 */
export class UpstreamPools {
  private readonly pools = new Map<string, OriginPool>();
  private readonly tenants = new Map<string, TenantConnections>();
  private readonly limits: PoolLimits;
  private uses = 0;
  private readonly closed = (tenant: TenantConnections): void => {
    tenant.open -= 1;
    this.forgetUnused(tenant);
  };

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
    return this.known(tenantId, origin) ?? this.open(tenantId, origin);
  }

  /** The same, where there are any. */
  known(tenantId: string, origin: URL): OriginPool | undefined {
    return this.pools.get(keyOf(tenantId, origin));
  }

  /** Whether the tenant has as much under way as it may have, to all its origins together. */
  isFull(tenantId: string): boolean {
    return this.tenants.get(tenantId)?.isFull ?? false;
  }

  /** It is in use until it is released as often as it is held. */
  hold(pool: OriginPool): void {
    pool.inFlight += 1;
    pool.tenant.inFlight += 1;
    pool.lastUse = this.uses += 1;
  }

  release(pool: OriginPool): void {
    pool.inFlight -= 1;
    pool.tenant.inFlight -= 1;
    this.forgetUnused(pool.tenant);
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
        pool.tenant.pools.delete(pool);
        this.forgetUnused(pool.tenant);
        return pool.dispatcher.destroy();
      }),
    );
  }

  private open(tenantId: string, { origin }: URL): OriginPool {
    if (this.pools.size >= this.limits.pools) this.makeRoom();
    const connect = checkedConnector({
      mayConnect: (address) => this.egress.mayConnect(address),
      resolve: (hostname) => this.egress.resolve(hostname),
      timeoutMs: this.limits.connectTimeoutMs,
    });
    const url = new URL(origin);
    const tenant = this.connectionsOf(tenantId);
    const { connections } = this.limits;
    const pool = new OriginPool(keyOf(tenantId, url), url, { tenant, connect, connections, closed: this.closed });
    pool.idle.sinceMs = this.nowMs();
    this.pools.set(pool.key, pool);
    tenant.pools.add(pool);
    return pool;
  }

  private connectionsOf(tenantId: string): TenantConnections {
    const known = this.tenants.get(tenantId);
    if (known) return known;
    const fresh = new TenantConnections(tenantId, this.limits.ofTenant);
    this.tenants.set(tenantId, fresh);
    return fresh;
  }

  /** Of the tenant that has most, the longest unused goes, if there is one that is not in use: no tenant pushes out another's that has fewer. */
  private makeRoom(): void {
    let chosen: OriginPool | undefined;
    for (const pool of this.pools.values())
      if (pool.inFlight === 0 && (!chosen || goesBefore(pool, chosen))) chosen = pool;
    if (chosen) this.drop(chosen);
  }

  private drop(pool: OriginPool): void {
    pool.closed = true;
    this.pools.delete(pool.key);
    pool.tenant.pools.delete(pool);
    this.forgetUnused(pool.tenant);
    pool.dispatcher.close().catch(() => undefined);
  }

  private forgetUnused(tenant: TenantConnections): void {
    if (tenant.isUnused) this.tenants.delete(tenant.tenantId);
  }
}

function goesBefore(one: OriginPool, other: OriginPool): boolean {
  const more = one.tenant.pools.size - other.tenant.pools.size;
  return more === 0 ? one.lastUse < other.lastUse : more > 0;
}

const keyOf = (tenantId: string, { origin }: URL): string => `${tenantId} ${origin}`;
