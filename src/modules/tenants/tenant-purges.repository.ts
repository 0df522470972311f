import { Injectable } from '@nestjs/common';
import { type Actor, PLATFORM_TENANT_ID } from '../../common/actor';
import { type AuditEntry, auditRow, SYSTEM } from '../../platform/audit/audit-record';
import { SystemDatabase } from '../../platform/database/system-database';
import type { ExpectedVersions } from '../../platform/http/etag';

/** Before every id that a record can have. */
const NIL = '00000000-0000-0000-0000-000000000000';

/** What went of a tenant, part by part. */
export interface PurgeReport {
  /** Rows by table. */
  tables?: Record<string, number>;
  /** Records of the audit trail in which what is personal was erased. */
  audit?: { erased?: number };
  /** What features had of it outside the database, by feature. */
  [part: string]: Record<string, number> | undefined;
}

/** A tenant that is being deleted, or was. */
export interface TenantPurge {
  id: string;
  slug: string;
  name: string;
  requestedAt: Date;
  /** Null until all of it is gone. */
  finishedAt: Date | null;
  report: PurgeReport;
}

/** The queries on `tenant_purges`, which belong to the platform. */
@Injectable()
export class TenantPurgesRepository {
  constructor(private readonly system: SystemDatabase) {}

  /**
   * Suspends the tenant for good and begins its purge, on record in its own chain and in that of the platform: all in one
   * statement. Null when there is no such tenant, its purge has begun already, or it is of none of the versions expected.
   */
  async begin(actor: Actor, id: string, expected: ExpectedVersions): Promise<TenantPurge | null> {
    const entry: AuditEntry = { action: 'TENANT_DELETED', resource: `tenant:${id}` };
    const records = [auditRow(id, actor, entry), auditRow(PLATFORM_TENANT_ID, actor, entry)];
    const [purge] = await this.system.run<TenantPurge>('purgeBegin', [id, expected, ...records.flat()]);
    return purge ?? null;
  }

  /** Null when no tenant of that id was ever deleted. */
  async findById(id: string): Promise<TenantPurge | null> {
    const [purge] = await this.system.run<TenantPurge>('purgeOf', [id]);
    return purge ?? null;
  }

  /** Ids of the tenants of which something may be left, the one that waits longest first. */
  async unfinished(): Promise<string[]> {
    return (await this.system.run<{ id: string }>('purgesUnfinished')).map(({ id }) => id);
  }

  /** Ids of the tenants whose purge was finished within the last day. */
  async justFinished(): Promise<string[]> {
    return (await this.system.run<{ id: string }>('purgesJustFinished')).map(({ id }) => id);
  }

  /** Adds to a figure of the report. */
  async count(id: string, [part, what]: [part: string, what: string], added: number): Promise<void> {
    if (added > 0) await this.system.run('purgeCount', [id, part, what, added]);
  }

  /**
   * Erases what is personal in some of the tenant's records, those after the record of that id.
   * @returns in how many, and the id of the last one looked at: null when there was none any more
   */
  async erase(id: string, after: string | null): Promise<{ erased: number; upTo: string | null }> {
    const [row] = await this.system.run<{ erased: number; up_to: string | null }>('purgeErase', [id, after ?? NIL]);
    return { erased: row?.erased ?? 0, upTo: row?.up_to ?? null };
  }

  /** The purge is finished, on record in the chain of the platform: once. False while the tenant is still there, and again. */
  async finish(id: string): Promise<boolean> {
    const record = auditRow(PLATFORM_TENANT_ID, SYSTEM, { action: 'TENANT_PURGED', resource: `tenant:${id}` });
    return (await this.system.run('purgeFinish', [id, ...record])).length > 0;
  }
}
