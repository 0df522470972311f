import type { UpstreamPools } from './upstream-pools';
import { type TenantTargets, UpstreamTarget } from './upstream-target';

/** Upstreams that are remembered; beyond it whoever has most forgets those longest unused that nothing is under way to. */
const MAX_TARGETS = 50_000;
/** The same of one tenant. */
const MAX_OF_TENANT = 5_000;
/** Longer than any pause of an ejected one. */
const FORGOTTEN_AFTER_MS = 600_000;

/** What this process knows of the upstreams that it has sent requests to, by tenant. */
export class UpstreamTargets {
  private readonly all = new Map<string, { target: UpstreamTarget; unusedSinceMs: number }>();
  private readonly byTenant = new Map<string, TenantTargets>();

  constructor(
    private readonly pools: UpstreamPools,
    readonly nowMs: () => number = () => performance.now(),
    private readonly max: number = MAX_TARGETS,
    private readonly maxOfTenant: number = MAX_OF_TENANT,
  ) {}

  get size(): number {
    return this.all.size;
  }

  /** Whether the tenant has as much under way as it may have, to all its upstreams together. */
  isFull(tenantId: string): boolean {
    return this.pools.isFull(tenantId);
  }

  /** The tenant's upstream at that address. */
  of(tenantId: string, url: string): UpstreamTarget {
    return this.byTenant.get(tenantId)?.byUrl.get(url) ?? this.add(tenantId, url);
  }

  /** All that is known of the tenant's upstreams, by address. */
  ofTenant(tenantId: string): ReadonlyMap<string, UpstreamTarget> {
    return this.byTenant.get(tenantId)?.byUrl ?? new Map();
  }

  tenants(): Iterable<TenantTargets> {
    return this.byTenant.values();
  }

  /** Forgets what has not been picked for long, and closes idle connections. To be called now and then. */
  sweep(): void {
    const nowMs = this.nowMs();
    for (const known of this.all.values()) {
      const { target } = known;
      if (target.used || target.inFlight > 0) known.unusedSinceMs = nowMs;
      else if (nowMs - known.unusedSinceMs >= FORGOTTEN_AFTER_MS) this.forget(target);
      target.used = false;
    }
    this.pools.closeIdle();
  }

  private add(tenantId: string, url: string): UpstreamTarget {
    const tenant = this.byTenant.get(tenantId) ?? { tenantId, byUrl: new Map(), touched: true, uses: 0, checks: 0 };
    if (tenant.byUrl.size >= this.maxOfTenant) this.makeRoom(tenant);
    else if (this.all.size >= this.max) this.makeRoom(this.largest() ?? tenant);
    this.byTenant.set(tenantId, tenant);
    const target = new UpstreamTarget(tenant, url, this.pools, this.nowMs);
    tenant.byUrl.set(url, target);
    this.all.set(keyOf(target), { target, unusedSinceMs: this.nowMs() });
    return target;
  }

  private largest(): TenantTargets | undefined {
    let largest: TenantTargets | undefined;
    for (const tenant of this.byTenant.values())
      if (!largest || tenant.byUrl.size > largest.byUrl.size) largest = tenant;
    return largest;
  }

  private makeRoom(tenant: TenantTargets): void {
    let oldest: UpstreamTarget | undefined;
    for (const target of tenant.byUrl.values())
      if (target.inFlight === 0 && (!oldest || target.lastUse < oldest.lastUse)) oldest = target;
    if (oldest) this.forget(oldest);
  }

  private forget(target: UpstreamTarget): void {
    const { tenant, url } = target;
    target.gone = true;
    this.all.delete(keyOf(target));
    tenant.byUrl.delete(url);
    if (tenant.byUrl.size === 0) this.byTenant.delete(tenant.tenantId);
  }
}

const keyOf = ({ tenant, url }: UpstreamTarget): string => `${tenant.tenantId} ${url}`;
