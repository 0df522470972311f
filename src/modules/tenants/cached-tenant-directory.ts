import { Injectable } from '@nestjs/common';
import { CommonErrors } from '../../common/common.errors';
import { Cache } from '../../platform/cache/cache';
import { TenantDirectory } from '../../platform/http/tenant-directory';
import { TenantsRepository } from './tenants.repository';

/** A slug hardly ever changes: this long another replica may still know the former one. */
const SLUG_TTL_MS = 60_000;

/** Slugs of tenants, for requests that name theirs in `X-Tenant-ID`. */
@Injectable()
export class CachedTenantDirectory extends TenantDirectory {
  constructor(
    private readonly cache: Cache,
    private readonly tenants: TenantsRepository,
  ) {
    super();
  }

  override slugOf(tenantId: string): Promise<string> {
    return this.cache.wrap(`tenant-slug:${tenantId}`, SLUG_TTL_MS, async () => {
      const tenant = await this.tenants.findById(tenantId);
      if (!tenant) throw CommonErrors.tenantNotFound();
      return tenant.slug;
    });
  }
}
