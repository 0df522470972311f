import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { AuditLog } from '../../platform/audit/audit-log';
import { uniqueViolation } from '../../platform/database/database-error';
import { TenantDatabase } from '../../platform/database/tenant-database';
import { Wakeups } from '../../platform/database/wakeups';
import { assertVersion, type ExpectedVersions } from '../../platform/http/etag';
import { TenantsService } from '../tenants/tenants.service';
import { type SessionSettings, SessionSettingsRepository } from './session-settings.repository';
import type { Pace } from './sessions.repository';
import { WahaErrors } from './waha.errors';

/** What is to change of a session; of the pace so much as it says, metadata as a whole. */
export interface SessionChange {
  name?: string;
  pace?: Partial<Pace>;
  metadata?: Record<string, unknown>;
}

const PACE: readonly string[] = ['per_minute', 'burst', 'jitter_ms'] satisfies (keyof Pace)[];
const FIELDS = ['name', 'metadata', 'per_minute', 'burst', 'jitter_ms'] as const;

/** Editing a session: nothing of it reaches WAHA, which knows neither its name nor its pace. */
@Injectable()
export class SessionSettingsService {
  constructor(
    private readonly db: TenantDatabase,
    private readonly settings: SessionSettingsRepository,
    private readonly audit: AuditLog,
    private readonly wakeups: Wakeups,
    private readonly tenants: TenantsService,
  ) {}

  /** The pace of a new session: as it is given, and for the rest as the tenant's default says. */
  async paceOf(actor: Actor, given: Partial<Pace>): Promise<Pace> {
    return { ...(await this.tenants.defaultPaceOf(actor)), ...given };
  }

  /**
   * Changes what is named; messages that wait go at the new pace from now on. What changes nothing leaves no trace.
   * @throws NOT_FOUND, PRECONDITION_FAILED, SESSION_NAME_TAKEN
   */
  async update(actor: Actor, id: string, change: SessionChange, expected: ExpectedVersions): Promise<void> {
    try {
      await this.db.transaction(actor.tenantId, async (tx) => {
        const before = await this.settings.lock(tx, actor.tenantId, id);
        if (!before) throw WahaErrors.sessionNotFound();
        assertVersion(expected, before.version);
        const after = merged(before, change);
        const changed = FIELDS.filter((field) => !isDeepStrictEqual(before[field], after[field]));
        if (changed.length === 0) return;
        await this.settings.save(tx, actor.tenantId, id, after);
        if (changed.some((field) => PACE.includes(field))) await this.settings.savePace(tx, actor.tenantId, id, after);
        const entry = { action: 'SESSION_UPDATED', resource: `session:${id}`, metadata: { changed } } as const;
        await this.audit.record(tx, actor, entry);
      });
    } catch (error) {
      throw uniqueViolation(error) === 'sessions_name_key' ? WahaErrors.nameTaken() : error;
    }
    this.wakeups.wake('lanes');
  }
}

const merged = (before: SessionSettings, { name, pace, metadata }: SessionChange): SessionSettings => ({
  ...before,
  ...pace,
  name: name ?? before.name,
  metadata: metadata ?? before.metadata,
});
