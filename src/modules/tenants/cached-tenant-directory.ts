import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { CommonErrors } from '../../common/common.errors';
import { isId } from '../../common/ids';
import { type Limits, limitsOf } from '../../common/plans';
import { Cache } from '../../platform/cache/cache';
import { EventBus } from '../../platform/events/domain-events';
import { TenantDirectory } from '../../platform/http/tenant-directory';
import { TenantsRepository } from './tenants.repository';

/** A slug hardly ever changes: this long another replica may still know the former one. */
const SLUG_TTL_MS = 60_000;
/** How long a change of plan or quotas made by another replica may stay unnoticed here. */
const LIMITS_TTL_MS = 5_000;

/** Slugs and limits of tenants, for the requests that need them. */
@Injectable()
export class CachedTenantDirectory extends TenantDirectory {
  private readonly limits = new LRUCache<string, Promise<Limits>>({ max: 20_000, ttl: LIMITS_TTL_MS });

  constructor(
    private readonly cache: Cache,
    private readonly tenants: TenantsRepository,
    events: EventBus,
  ) {
    super();
    events.hears('tenant.changed', ({ tenantId }) => {
      this.limits.delete(tenantId);
      void this.cache.delete(slugKey(tenantId));
    });
  }

  override slugOf(tenantId: string): Promise<string> {
    return this.cache.wrap(slugKey(tenantId), SLUG_TTL_MS, async () => {
      const tenant = await this.tenants.findById(tenantId);
      if (!tenant) throw CommonErrors.tenantNotFound();
      return tenant.slug;
    });
  }

  override async idOf(idOrSlug: string): Promise<string> {
    const id = isId(idOrSlug) ? idOrSlug.toLowerCase() : await this.tenants.findIdBySlug(idOrSlug);
    if (!id) throw CommonErrors.tenantNotFound();
    await this.slugOf(id); // one that is being deleted still holds its slug
    return id;
  }

  override limitsOf(tenantId: string): Promise<Limits> {
    const known = this.limits.get(tenantId);
    if (known) return known;
    const limits = this.loadLimits(tenantId);
    this.limits.set(tenantId, limits);
    limits.catch(() => this.limits.delete(tenantId));
    return limits;
  }

  private async loadLimits(tenantId: string): Promise<Limits> {
    const tenant = await this.tenants.findById(tenantId);
    if (!tenant) throw CommonErrors.tenantNotFound();
    return limitsOf(tenant.plan, tenant.quotas);
  }
}

const slugKey = (tenantId: string): string => `tenant-slug:${tenantId}`;
