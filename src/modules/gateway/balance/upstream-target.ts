import { addressKey } from './address-key';
import type { OriginPool } from './origin-pool';
import { UpstreamHealth } from './upstream-health';
import type { UpstreamPools } from './upstream-pools';

/** How much the newest answer counts in the mean of the latencies. */
const NEWEST_SHARE = 0.1;
/** Where this machine could open no connection, none is tried again so soon. */
const EXHAUSTED_PAUSE_MS = 1_000;

/** The upstreams of one tenant. */
export interface TenantTargets {
  readonly tenantId: string;
  readonly byUrl: Map<string, UpstreamTarget>;
  /** Whether anything has happened since somebody last looked. */
  touched: boolean;
  /** Grows with each use of any of them, so that they can be told by age. */
  uses: number;
  /** Connections that are being tried. */
  checks: number;
}

/** One upstream of one tenant, shared by the routes that name it. */
export class UpstreamTarget {
  readonly address: URL;
  readonly origin: string;
  readonly authority: string;
  readonly basePath: string;
  readonly health: UpstreamHealth;
  inFlight = 0;
  /** A moving mean of the time until the head of the answer; null before the first. */
  latencyMs: number | null = null;
  /** A connection is being tried. */
  checking = false;
  /** Whether it was picked since somebody last looked. */
  used = true;
  /** The use of the tenant's upstreams that was its last. */
  lastUse: number;
  /** Forgotten: another stands for it. */
  gone = false;
  private keyOfAddress: string | undefined;
  private pool: OriginPool | null = null;
  private nextCheckMs = -Infinity;

  constructor(
    readonly tenant: TenantTargets,
    readonly url: string,
    private readonly pools: UpstreamPools,
    private readonly nowMs: () => number,
  ) {
    this.address = new URL(url);
    this.origin = this.address.origin;
    this.authority = this.address.host;
    this.basePath = this.address.pathname.replace(/\/+$/, '');
    this.health = new UpstreamHealth(nowMs);
    this.lastUse = tenant.uses += 1;
  }

  /** What stands for its address among processes. */
  get key(): string {
    return (this.keyOfAddress ??= addressKey(this.url));
  }

  /** Whether as many attempts are under way to its origin as may be. */
  get isFull(): boolean {
    if (this.pool === null || this.pool.closed)
      this.pool = this.pools.known(this.tenant.tenantId, this.address) ?? null;
    return this.pool !== null && this.pool.isFull;
  }

  /** Its connections, held until they are let go. */
  hold(): OriginPool {
    if (this.pool === null || this.pool.closed) this.pool = this.pools.of(this.tenant.tenantId, this.address);
    this.pools.hold(this.pool);
    this.inFlight += 1;
    this.used = true;
    this.lastUse = this.tenant.uses += 1;
    this.tenant.touched = true;
    return this.pool;
  }

  /** @param pool what `hold` gave */
  letGo(pool: OriginPool): void {
    this.pools.release(pool);
    this.inFlight -= 1;
    this.tenant.touched = true;
  }

  noteLatency(latencyMs: number): void {
    this.latencyMs = this.latencyMs === null ? latencyMs : this.latencyMs + NEWEST_SHARE * (latencyMs - this.latencyMs);
  }

  /** Tries a connection, without a request; one at a time. What this machine lacks is not held against the upstream. */
  async check(): Promise<void> {
    if (this.checking || this.nowMs() < this.nextCheckMs) return;
    this.checking = true;
    this.tenant.checks += 1;
    const pool = this.hold();
    try {
      const connected = await pool.canConnect();
      if (connected === null) this.nextCheckMs = this.nowMs() + EXHAUSTED_PAUSE_MS;
      else this.health.reached(connected);
    } finally {
      this.letGo(pool);
      this.tenant.checks -= 1;
      this.checking = false;
    }
  }
}
