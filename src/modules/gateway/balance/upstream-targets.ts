import type { UpstreamPools } from './upstream-pools';
import { type TenantTargets, UpstreamTarget } from './upstream-target';

/** Upstreams that are remembered; beyond it the oldest that nothing is under way to are forgotten. */
const MAX_TARGETS = 50_000;
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
  ) {}

  get size(): number {
    return this.all.size;
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
    if (this.all.size >= this.max) this.makeRoom();
    const tenant = this.byTenant.get(tenantId) ?? { tenantId, byUrl: new Map(), touched: true };
    this.byTenant.set(tenantId, tenant);
    const target = new UpstreamTarget(tenant, url, this.pools, this.nowMs);
    tenant.byUrl.set(url, target);
    this.all.set(keyOf(target), { target, unusedSinceMs: this.nowMs() });
    return target;
  }

  private makeRoom(): void {
    for (const { target } of this.all.values()) if (target.inFlight === 0) return this.forget(target);
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
