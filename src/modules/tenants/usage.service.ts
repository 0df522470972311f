import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { firstIdAt } from '../../common/ids';
import { type Limits, limitsOf } from '../../common/plans';
import { StorageUse } from '../../platform/usage/storage-use';
import { settingsOf } from './tenant-settings';
import { TenantsService } from './tenants.service';
import { UsageRepository } from './usage.repository';

/** What a tenant uses, beside what it may use. */
export interface Usage {
  /** Today, of the tenant's time zone. */
  day: string;
  used: { messages: number; sessions: number; users: number; storageBytes: number; apiCalls: number };
  limits: Limits;
}

/** Sums up what tenants use. */
@Injectable()
export class UsageService {
  constructor(
    private readonly tenants: TenantsService,
    private readonly usage: UsageRepository,
    private readonly storage: StorageUse,
  ) {}

  /** Of the actor's own tenant. @throws TENANT_NOT_FOUND when it was removed while the request was on its way */
  async of(actor: Actor): Promise<Usage> {
    const { tenantId } = actor;
    const tenant = await this.tenants.getOwn(actor);
    const limits = limitsOf(tenant.plan, tenant.quotas);
    const { day, began } = await this.usage.today(tenantId, settingsOf(tenant.settings).time_zone);
    const [used, storageBytes] = await Promise.all([
      this.usage.sums(tenantId, {
        day,
        firstId: firstIdAt(began.getTime()),
        limited: limits.messages_per_day !== null,
      }),
      this.storage.bytesOf(tenantId),
    ]);
    return { day, limits, used: { ...used, storageBytes } };
  }
}
