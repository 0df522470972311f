import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import { actorMay } from '../../common/actor';
import { TenantsService } from '../tenants/tenants.service';
import { type AudienceFilter, type AudienceMember, CustomerListsRepository } from './customer-lists.repository';

export type { AudienceFilter, AudienceMember };

/** Customers as those for whom a campaign is. */
@Injectable()
export class CustomerAudience {
  constructor(
    private readonly lists: CustomerListsRepository,
    private readonly tenants: TenantsService,
  ) {}

  /**
   * All customers with a phone number for whom each condition holds, by id, read some at a time: memory does not grow with
   * them. Each is as it was when it was read; who was anonymised is nobody.
   * @throws FORBIDDEN for an actor who may not read customers
   */
  async members(actor: Actor, filter: AudienceFilter): Promise<AsyncGenerator<AudienceMember>> {
    if (!actorMay(actor, 'customers:read')) throw CommonErrors.lacking('customers:read');
    const thresholds = await this.tenants.vipThresholdsOf(actor);
    const next = (after: string | null) => this.lists.audience(actor.tenantId, filter, thresholds, after);
    return portions(next);
  }
}

async function* portions(
  next: (after: string | null) => ReturnType<CustomerListsRepository['audience']>,
): AsyncGenerator<AudienceMember> {
  let portion = await next(null);
  while (portion.last !== null) {
    yield* portion.members;
    portion = await next(portion.last);
  }
}
