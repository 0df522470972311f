import { isDeepStrictEqual } from 'node:util';
import { Injectable, Logger } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { mergedPace, type Pace, type PaceChange, type QuietHours } from '../../common/pace';
import { AuditLog } from '../../platform/audit/audit-log';
import { uniqueViolation } from '../../platform/database/database-error';
import { TenantDatabase } from '../../platform/database/tenant-database';
import { Wakeups } from '../../platform/database/wakeups';
import { EventBus } from '../../platform/events/domain-events';
import { assertVersion, type ExpectedVersions } from '../../platform/http/etag';
import { TenantsService } from '../tenants/tenants.service';
import { type SessionSettings, SessionSettingsRepository } from './session-settings.repository';
import { WahaErrors } from './waha.errors';

/** What is to change of a session; of the pace so much as it says, metadata as a whole. */
export interface SessionChange {
  name?: string;
  pace?: PaceChange;
  /** Null: the tenant's own hold. */
  quiet_hours?: QuietHours | null;
  metadata?: Record<string, unknown>;
}

const FIELDS = ['name', 'metadata', 'pace', 'quiet_hours'] as const;
const OF_THE_LANE: readonly string[] = ['pace', 'quiet_hours'];

/** Editing a session: nothing of it reaches WAHA, which knows neither its name nor its pace. */
@Injectable()
export class SessionSettingsService {
  private readonly logger = new Logger(SessionSettingsService.name);

  constructor(
    private readonly db: TenantDatabase,
    private readonly settings: SessionSettingsRepository,
    private readonly audit: AuditLog,
    private readonly wakeups: Wakeups,
    private readonly tenants: TenantsService,
    events: EventBus,
  ) {
    events.hears('tenant.changed', ({ tenantId }) => void this.lookAgain(tenantId));
  }

  /** The pace of a new session: as it is given, and for the rest as the tenant's default says. */
  async paceOf(actor: Actor, given: PaceChange): Promise<Pace> {
    return mergedPace(await this.tenants.defaultPaceOf(actor), given);
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
        if (changed.some((field) => OF_THE_LANE.includes(field)))
          await this.settings.saveLane(tx, actor.tenantId, id, after);
        const metadata = {
          changed: changed.flatMap((field) => (field === 'pace' ? changesOf(before.pace, after.pace) : field)),
        };
        const entry = { action: 'SESSION_UPDATED', resource: `session:${id}`, metadata } as const;
        await this.audit.record(tx, actor, entry);
      });
    } catch (error) {
      throw uniqueViolation(error) === 'sessions_name_key' ? WahaErrors.nameTaken() : error;
    }
    this.wakeups.wake('lanes');
  }

  /** What cannot be done now does not matter: each lane has a time at which it looks by itself. */
  private async lookAgain(tenantId: string): Promise<void> {
    await this.settings
      .wakeLanes(tenantId)
      .catch((error: unknown) => this.logger.warn({ msg: 'lanes were not woken', tenant_id: tenantId, err: error }));
    this.wakeups.wake('lanes');
  }
}

const merged = (before: SessionSettings, change: SessionChange): SessionSettings => ({
  ...before,
  pace: mergedPace(before.pace, change.pace),
  quiet_hours: change.quiet_hours === undefined ? before.quiet_hours : change.quiet_hours,
  name: change.name ?? before.name,
  metadata: change.metadata ?? before.metadata,
});

/** Names of what differs in the pace. */
const changesOf = (before: Pace, after: Pace): string[] =>
  (Object.keys(after) as (keyof Pace)[]).filter((part) => !isDeepStrictEqual(before[part], after[part]));
