import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../database/tenant-database';

/** What features tell each other without importing each other. */
export interface DomainEvents {
  /** The user's rights have changed (role, status, password) or it is gone: who acts as it must be asked for anew. */
  'user.changed': { tenantId: string; userId: string };
  /** The user may no longer be logged in: its logins end. */
  'user.ended': { tenantId: string; userId: string };
  /** The tenant's status, plan, quotas or settings have changed, or it is being deleted. */
  'tenant.changed': { tenantId: string };
  /** The routes of the tenant's gateway have changed. */
  'gateway.changed': { tenantId: string };
}

export type DomainEventName = keyof DomainEvents;
type Within<N extends DomainEventName> = (tx: TenantTransaction, event: DomainEvents[N]) => Promise<void>;
type After<N extends DomainEventName> = (event: DomainEvents[N]) => void;

/**
 * News between features of one process. What must be done with the change is done `within` its transaction, and fails with it;
 * what only forgets or wakes is told `after` the commit. Nothing here is durable: a row in the transaction is.
 */
@Injectable()
export class EventBus {
  private readonly within = new Map<DomainEventName, Within<never>[]>();
  private readonly after = new Map<DomainEventName, After<never>[]>();

  /** Takes part in the transaction of each such change. Call it while the modules are set up. */
  joins<N extends DomainEventName>(name: N, listener: Within<N>): void {
    this.within.set(name, [...(this.within.get(name) ?? []), listener]);
  }

  /** Hears of each such change after its commit. Call it while the modules are set up. */
  hears<N extends DomainEventName>(name: N, listener: After<N>): void {
    this.after.set(name, [...(this.after.get(name) ?? []), listener]);
  }

  /** Lets the others take part; to be awaited inside the transaction. */
  async inside<N extends DomainEventName>(tx: TenantTransaction, name: N, event: DomainEvents[N]): Promise<void> {
    for (const listener of this.within.get(name) ?? []) await listener(tx, event as never);
  }

  /** Tells the others; to be called once the change is committed. */
  committed<N extends DomainEventName>(name: N, event: DomainEvents[N]): void {
    for (const listener of this.after.get(name) ?? []) listener(event as never);
  }
}
