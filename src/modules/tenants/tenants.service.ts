import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import type { TenantTransaction } from '../../platform/database/tenant-database';
import type { TenantEntity } from './tenant.entity';
import { slugOf, withRandomEnd } from './tenant-slug';
import { TenantsRepository } from './tenants.repository';

const SLUG_ATTEMPTS = 5;

/** The businesses that share the installation. */
@Injectable()
export class TenantsService {
  constructor(private readonly tenants: TenantsRepository) {}

  /**
   * The actor's own tenant.
   * @throws TENANT_NOT_FOUND when it was removed while the request was on its way.
   */
  async getOwn(actor: Actor): Promise<TenantEntity> {
    const tenant = await this.tenants.findById(actor.tenantId);
    if (!tenant) throw CommonErrors.tenantNotFound();
    return tenant;
  }

  /** Founds a tenant in its own transaction; its slug comes from the name, with a random end when that one is taken. */
  async found(tx: TenantTransaction, tenant: { id: string; name: string }): Promise<void> {
    const wanted = slugOf(tenant.name);
    for (let attempt = 1; attempt <= SLUG_ATTEMPTS; attempt++) {
      const slug = attempt === 1 ? wanted : withRandomEnd(wanted);
      if (await this.tenants.insert(tx, { ...tenant, slug })) return;
    }
    throw new Error(`No free slug in ${SLUG_ATTEMPTS} attempts`);
  }
}
