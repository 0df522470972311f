import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import type { Pace } from '../../common/pace';
import type { SystemDatabase } from '../../platform/database/system-database';
import type { TenantDatabase, TenantTransaction } from '../../platform/database/tenant-database';
import type { TenantEntity } from './tenant.entity';
import { DEMO_SLUG, slugOf, withRandomEnd } from './tenant-slug';
import type { OrderMessage, OrderMessageSettings } from './order-message-settings';
import { settingsOf, type VipThresholds } from './tenant-settings';
import { type NewTenant, TenantsRepository } from './tenants.repository';

export type { OrderMessage, TenantEntity, VipThresholds };

/** What holds for orders of a tenant. */
export interface OrderTerms {
  /** ISO 4217. */
  currency: string;
  messages: OrderMessageSettings;
}

const SLUG_ATTEMPTS = 5;

/** The businesses that share the installation. */
@Injectable()
export class TenantsService {
  constructor(private readonly tenants: TenantsRepository) {}

  /** The service without Nest, for seeding. */
  static over(db: TenantDatabase, system: SystemDatabase): TenantsService {
    return new TenantsService(new TenantsRepository(db, system));
  }

  /**
   * The actor's own tenant.
   * @throws TENANT_NOT_FOUND when it was removed while the request was on its way.
   */
  async getOwn(actor: Actor): Promise<TenantEntity> {
    const tenant = await this.tenants.findById(actor.tenantId);
    if (!tenant) throw CommonErrors.tenantNotFound();
    return tenant;
  }

  /** How fast a session of the actor's tenant sends unless it is told otherwise. @throws TENANT_NOT_FOUND as above */
  async defaultPaceOf(actor: Actor): Promise<Pace> {
    return settingsOf((await this.getOwn(actor)).settings).default_pace;
  }

  /** Above which sum of its orders a customer of the actor's tenant is a VIP. @throws TENANT_NOT_FOUND as above */
  async vipThresholdsOf(actor: Actor): Promise<VipThresholds> {
    return settingsOf((await this.getOwn(actor)).settings).vip_thresholds;
  }

  /** In what its orders are paid, and what its customers are told of them. @throws TENANT_NOT_FOUND as above */
  async orderTermsOf(actor: Actor): Promise<OrderTerms> {
    const { currency, order_messages: messages } = settingsOf((await this.getOwn(actor)).settings);
    return { currency, messages };
  }

  /** Founds a tenant in its own transaction; its slug comes from the name, with a random end when that one is taken. */
  async found(tx: TenantTransaction, tenant: Omit<NewTenant, 'slug'>): Promise<void> {
    const wanted = slugOf(tenant.name);
    for (let attempt = 1; attempt <= SLUG_ATTEMPTS; attempt++) {
      const slug = attempt === 1 ? wanted : withRandomEnd(wanted);
      if (await this.tenants.insert(tx, { ...tenant, slug })) return;
    }
    throw new Error(`No free slug in ${SLUG_ATTEMPTS} attempts`);
  }

  /** The id of the demo tenant; null while there is none. */
  findDemo(): Promise<string | null> {
    return this.tenants.findIdBySlug(DEMO_SLUG);
  }

  /** Whether the demo tenant was founded under this id: false when another process was faster. */
  foundDemo(tx: TenantTransaction, { id, plan }: Pick<NewTenant, 'id' | 'plan'>): Promise<boolean> {
    return this.tenants.insert(tx, { id, slug: DEMO_SLUG, name: 'Demo', plan });
  }
}
