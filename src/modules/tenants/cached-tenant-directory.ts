import { Injectable } from '@nestjs/common';
import { AppError } from '../../common/app-error';
import { CommonErrors } from '../../common/common.errors';
import { isId } from '../../common/ids';
import { type Limits, limitsOf } from '../../common/plans';
import { after, type Soon } from '../../common/soon';
import { Cache } from '../../platform/cache/cache';
import { ShortMemory } from '../../platform/cache/short-memory';
import { EventBus } from '../../platform/events/domain-events';
import { TenantDirectory } from '../../platform/http/tenant-directory';
import { TenantsRepository } from './tenants.repository';

/** A slug hardly ever changes: this long another replica may still know the former one. */
const SLUG_TTL_MS = 60_000;
/** How long a change of plan, quotas or settings made by another replica may stay unnoticed here. */
const BOUNDS_TTL_MS = 5_000;

/** What the tenant may have, where its days begin, and whether it is not suspended. */
interface Bounds {
  limits: Limits;
  timeZone: string;
  active: boolean;
}

/** Slugs and limits of tenants, for the requests that need them. */
@Injectable()
export class CachedTenantDirectory extends TenantDirectory {
  private readonly bounds = new ShortMemory<Bounds>({ max: 20_000, ttlMs: BOUNDS_TTL_MS });

  constructor(
    private readonly cache: Cache,
    private readonly tenants: TenantsRepository,
    events: EventBus,
  ) {
    super();
    events.hears('tenant.changed', ({ tenantId }) => {
      this.bounds.forget(tenantId);
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

  override limitsOf(tenantId: string): Soon<Limits> {
    return after(this.boundsOf(tenantId), ({ limits }) => limits);
  }

  override async timeZoneOf(tenantId: string): Promise<string> {
    return (await this.boundsOf(tenantId)).timeZone;
  }

  override async isActive(tenantId: string): Promise<boolean> {
    try {
      return (await this.boundsOf(tenantId)).active;
    } catch (error) {
      if (error instanceof AppError && error.code === 'TENANT_NOT_FOUND') return false;
      throw error;
    }
  }

  private boundsOf(tenantId: string): Soon<Bounds> {
    return this.bounds.get(tenantId, () => this.loadBounds(tenantId));
  }

  private async loadBounds(tenantId: string): Promise<Bounds> {
    const tenant = await this.tenants.findById(tenantId);
    if (!tenant) throw CommonErrors.tenantNotFound();
    const { time_zone: timeZone } = tenant.settings;
    return {
      limits: limitsOf(tenant.plan, tenant.quotas),
      timeZone: typeof timeZone === 'string' ? timeZone : 'UTC',
      active: tenant.status === 'active',
    };
  }
}

const slugKey = (tenantId: string): string => `tenant-slug:${tenantId}`;
