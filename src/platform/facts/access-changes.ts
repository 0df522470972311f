import { Injectable } from '@nestjs/common';
import { EventBus } from '../events/domain-events';
import { SharedFacts } from './shared-facts';

/** What facts of a tenant's keys, and of the tenant itself, are about: whatever changes one of them makes all void. */
export const accessOf = (tenantId: string): string => `access:${tenantId}`;

/**
 * Changes of who may come in: whoever makes one does it in here. From its end on nobody is let in by what was known before, in
 * this process and, where they share a Redis, in the others. Told of also after a failure, which may have been one of the
 * answer to a commit. The transaction belongs inside, the call not inside a transaction.
 */
@Injectable()
export class AccessChanges {
  constructor(
    private readonly facts: SharedFacts,
    private readonly events: EventBus,
  ) {}

  /** Does work that changes the tenant: its status, plan, quotas, settings or slug, or that it is there. */
  async ofTenant<T>(tenantId: string, work: () => Promise<T>): Promise<T> {
    try {
      return await this.facts.changing(accessOf(tenantId), work);
    } finally {
      this.events.committed('tenant.changed', { tenantId });
    }
  }

  /** Does work that changes a key: its rights, bounds or secret, or that it is there. */
  async ofKey<T>(key: { tenantId: string; keyId: string }, work: () => Promise<T>): Promise<T> {
    try {
      return await this.facts.changing(accessOf(key.tenantId), work);
    } finally {
      this.events.committed('key.changed', key);
    }
  }
}
