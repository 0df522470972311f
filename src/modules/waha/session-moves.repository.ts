import { Injectable } from '@nestjs/common';
import { SYSTEM, auditRow } from '../../platform/audit/audit-record';
import { Config } from '../../config/config';
import { SystemDatabase } from '../../platform/database/system-database';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';
import type { SlotParams } from '../../platform/loops/keyed-slots';
import type { Provisioned } from './session-provisioner.service';

/** A session whose server is drained or dead, and the storage group in which it can go on. */
export interface MovableSession {
  tenant_id: string;
  id: string;
  server_id: string;
  storage_group: string;
}

/** A move that this process sees to now; nobody else does until its calls must have ended. */
export interface DueMove extends Provisioned {
  /** Where it must be stopped first; null once that is done, and it is to be started where it is. */
  leaving_server_id: string | null;
  /** `login`: the servers share their storage; `scan`: it begins anew, and the old server forgets it. */
  move_kind: 'login' | 'scan' | null;
  desired: 'running' | 'stopped';
  /** Whether the server that it leaves has been away for so long that it counts as dead. */
  dead: boolean;
}

/** The server that this step of the move asks first: the one that is left, or else the new one. */
export const serverAsked = ({ leaving_server_id: from, server_id: to }: DueMove): string => from ?? to;

/** Beyond the time-out of a call: for what comes before and after it. */
const MARGIN_MS = 2_000;
/** A move makes at most so many calls, one after the other. */
const CALLS = 4;
const AT_ONCE = 100;

/** Decides and notes, across tenants, which session goes from where to where. Every step is harmless when it is done twice. */
@Injectable()
export class SessionMovesRepository {
  constructor(
    private readonly config: Config,
    private readonly system: SystemDatabase,
    private readonly db: TenantDatabase,
  ) {}

  /** Whether there is a server whose sessions are to go: mostly there is none, and no session is looked at. */
  async anyToLeave(): Promise<boolean> {
    return (await this.system.run('serversToLeave', [this.deadMs])).length > 0;
  }

  /** Sessions that can go on elsewhere, some at a time. */
  movable(): Promise<MovableSession[]> {
    return this.system.run<MovableSession>('movableSessions', [this.deadMs, AT_ONCE]);
  }

  /** Moves it on record to the least full server of its group, its lane parked. False when none has room, or it was moved. */
  async plan({ tenant_id: tenantId, id, server_id: from, storage_group: group }: MovableSession): Promise<boolean> {
    return this.system.transaction(async (run) => {
      await run('lockPlacement', []);
      const [to] = await run<{ id: string }>('leastFull', [group, from]);
      if (!to) return false;
      const metadata = { action: 'moved', from, to: to.id };
      const record = auditRow(tenantId, SYSTEM, { action: 'SESSION_UPDATED', resource: `session:${id}`, metadata });
      return (await run('moveSession', [tenantId, id, from, to.id, ...record])).length > 0;
    });
  }

  /** Marks what cannot move. */
  async markStuck(): Promise<void> {
    await this.system.run('needScan', [this.deadMs, AT_ONCE]);
  }

  /** Takes the mark from what need not be scanned any more. */
  async unmark(): Promise<void> {
    await this.system.run('needNoScan', [this.deadMs]);
  }

  /** Takes moves that are due, of each server that is asked (`serverAsked`) as many as it has slots for. */
  take(servers: SlotParams): Promise<DueMove[]> {
    const { WAHA_TIMEOUT_MS: timeoutMs } = this.config;
    const params = [this.deadMs, timeoutMs + MARGIN_MS, timeoutMs * CALLS + MARGIN_MS, ...servers];
    return this.system.run<DueMove>('takeMoves', params);
  }

  /**
   * Gives the session to another server with a login of its own; the one that it leaves forgets it. What was sent without an
   * answer is asked for no more: the new login knows nothing of it. False when it is gone or on its way already.
   */
  async planScan(tx: TenantTransaction, tenantId: string, id: string, to: string): Promise<boolean> {
    const moved = await tx.query(
      `update sessions set leaving_server_id = server_id, server_id = $3, move_kind = 'scan', needs_scan = true,
          status = 'STOPPED', working_since = null, health = 'ok', health_reason = null, next_restart_at = null,
          restart_attempts = 0, moving_since = clock_timestamp(), move_at = clock_timestamp(), updated_at = now()
        where tenant_id = $1 and id = $2 and server_id <> $3 and leaving_server_id is null and desired <> 'deleted'
        returning id`,
      [tenantId, id, to],
    );
    if (moved.length === 0) return false;
    await tx.query(
      `update lanes set server_id = $3, state = case when state = 'open' then 'parked' else state end
        where tenant_id = $1 and session_id = $2`,
      [tenantId, id, to],
    );
    return true;
  }

  /**
   * The old server has let go of it: from now on it is started. What the new login cannot know is settled as unknown for good.
   * False when somebody else was faster.
   */
  async letGo({
    tenant_id: tenantId,
    id,
    server_id: to,
    leaving_server_id: from,
    move_kind: kind,
  }: DueMove): Promise<boolean> {
    return this.db.transaction(tenantId, async (tx) => {
      const rows = await tx.query(
        `update sessions set leaving_server_id = null, moving_since = null, move_at = clock_timestamp()
          where tenant_id = $1 and id = $2 and server_id = $3 and leaving_server_id = $4 returning id`,
        [tenantId, id, to, from],
      );
      if (rows.length > 0 && kind === 'scan')
        await tx.query(
          `update messages set settle_at = null where tenant_id = $1 and session_id = $2 and status = 'unknown'`,
          [tenantId, id],
        );
      return rows.length > 0;
    });
  }

  /** It was started where it is, or need not be: nothing is left to do. */
  async finish({ tenant_id: tenantId, id, server_id: at }: DueMove): Promise<void> {
    await this.db.query(
      tenantId,
      `update sessions set move_at = null
        where tenant_id = $1 and id = $2 and server_id = $3 and leaving_server_id is null`,
      [tenantId, id, at],
    );
  }

  /** Somebody sees to it again so soon. */
  async putOff({ tenant_id: tenantId, id }: DueMove, inMs: number): Promise<void> {
    await this.db.query(
      tenantId,
      `update sessions set move_at = clock_timestamp() + $3::float8 * interval '1 ms'
        where tenant_id = $1 and id = $2 and move_at is not null`,
      [tenantId, id, inMs],
    );
  }

  private get deadMs(): number {
    return this.config.WAHA_DEAD_AFTER_S * 1_000;
  }
}
