import { Injectable } from '@nestjs/common';
import { CommonErrors } from '../../common/common.errors';
import type { Pace, QuietHours } from '../../common/pace';
import type { PageRequest } from '../../common/paging';
import { Config } from '../../config/config';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';
import { TenantDirectory } from '../../platform/http/tenant-directory';
import { CANCEL_WAITING, CANCELLED_AT_ONCE } from './cancel-waiting';
import { LANE_COLUMNS, LANE_VALUES, laneSettings } from './lane-settings';
import { NOTE_STATE, noteHeard, SET_DESIRED } from './note-state';
import { SESSION_COLUMNS, SESSION_TABLES } from './session-view';

/** A session as it is stored, with its lane. */
export interface SessionRow {
  id: string;
  server_id: string;
  /** Where it must be stopped before it goes on at `server_id`; null when it is not moving. */
  leaving_server_id: string | null;
  /** Whether its login cannot follow it: its server is drained or dead. */
  needs_scan: boolean;
  name: string;
  waha_name: string;
  desired: 'running' | 'stopped' | 'deleted';
  status: string;
  health: 'ok' | 'deaf' | 'parked';
  health_reason: string | null;
  phone: string | null;
  push_name: string | null;
  webhook_secret: string;
  metadata: Record<string, unknown>;
  restarts: number;
  last_inbound_at: Date | null;
  last_ack_at: Date | null;
  created_at: Date;
  /** Grows with each edit. */
  version: number;
  pace: Pace;
  /** Null where the tenant's hold. */
  quiet_hours: QuietHours | null;
  /** What was handed to WAHA today, of the tenant's time zone. */
  sent_today: number;
  firsts_today: number;
  queue_depth: number;
}

/** Writes the audit record of a change into its transaction. */
export type Recording = (tx: TenantTransaction) => Promise<void>;

export interface NewSession {
  id: string;
  /** Chooses the server, within the transaction. */
  place: (tx: TenantTransaction) => Promise<string>;
  name: string;
  wahaName: string;
  webhookSecret: string;
  pace: Pace;
  quietHours: QuietHours | null;
  metadata: Record<string, unknown>;
}

/** A session that is to leave WAHA. */
export type LeavingSession = Pick<
  SessionRow,
  'id' | 'server_id' | 'leaving_server_id' | 'waha_name' | 'webhook_secret'
> & {
  tenant_id: string;
};

/** A session's state as WAHA told it, at that time. */
export interface SessionState {
  status: string;
  at: Date;
  phone: string | null;
  pushName: string | null;
  /** `answer`: WAHA was asked, and `at` is a whole second; `event`: it told by itself, maybe late. */
  from: 'answer' | 'event';
  /** Of an answer: when WAHA was asked, as performance.now(). */
  askedMs?: number;
}

const INSERT = `
  with made as (
    insert into sessions (tenant_id, id, server_id, name, waha_name, webhook_secret, metadata)
    values ($1, $2, $3, $4, $5, $6, $7) on conflict (tenant_id, id) do nothing returning tenant_id, id, server_id)
  insert into lanes (tenant_id, session_id, server_id, tokens, ${LANE_COLUMNS})
  select made.tenant_id, made.id, made.server_id, p.burst, ${LANE_VALUES}
  from made, ${laneSettings('$8', '$9')} returning session_id`;

/** Sessions and the lanes that belong to them. Times of states come from WAHA: an older one never undoes a newer one. */
@Injectable()
export class SessionsRepository {
  constructor(
    private readonly db: TenantDatabase,
    private readonly tenants: TenantDirectory,
    private readonly config: Config,
  ) {}

  /**
   * Stores session and lane together, unless the tenant has as many as it may. Breaks sessions_name_key.
   * @returns false when there was one of this id (a repeated request), which is left as it is
   * @throws PLAN_LIMIT_REACHED, and what `place` throws
   */
  async insert(tenantId: string, session: NewSession, record: Recording): Promise<boolean> {
    const { id, place, name, wahaName, webhookSecret, pace, quietHours, metadata } = session;
    const { sessions: limit } = await this.tenants.limitsOf(tenantId);
    return this.change(tenantId, record, async (tx) => {
      // A repeated request takes no second place, and finds its first one's session also when all are full.
      if ((await tx.query(`select from sessions where tenant_id = $1 and id = $2`, [tenantId, id])).length > 0)
        return [];
      const serverId = await place(tx);
      const params = [tenantId, id, serverId, name, wahaName, webhookSecret, metadata, pace, quietHours];
      const made = await tx.query(INSERT, params);
      if (made.length > 0 && limit !== null) await holdTo(limit, tx, tenantId);
      return made;
    });
  }

  /** Forgets a session that WAHA has never seen. */
  async remove(tenantId: string, id: string, record: Recording): Promise<void> {
    const text = `delete from sessions where tenant_id = $1 and id = $2 returning id`;
    await this.change(tenantId, record, (tx) => tx.query(text, [tenantId, id]));
  }

  /** Writes the record of what only WAHA will do to the session. */
  async recordAct(tenantId: string, record: Recording): Promise<void> {
    await this.db.transaction(tenantId, record);
  }

  /** Null when there is none, or it was deleted. */
  async findById(tenantId: string, id: string): Promise<SessionRow | null> {
    const where = `where s.tenant_id = $1 and s.id = $2 and s.desired <> 'deleted'`;
    const rows = await this.db.query<SessionRow>(tenantId, `select ${SESSION_COLUMNS} ${SESSION_TABLES} ${where}`, [
      tenantId,
      id,
    ]);
    return rows[0] ?? null;
  }

  /** Newest first, one more than asked for. */
  list(tenantId: string, { limit, cursor, offset }: PageRequest): Promise<SessionRow[]> {
    return this.db.query<SessionRow>(
      tenantId,
      `select ${SESSION_COLUMNS} ${SESSION_TABLES} where s.tenant_id = $1 and s.desired <> 'deleted' and ($2::uuid is null or s.id < $2)
        order by s.id desc limit $3 offset $4`,
      [tenantId, cursor ?? null, limit + 1, offset ?? 0],
    );
  }

  async count(tenantId: string, cap: number): Promise<number> {
    const [row] = await this.db.query<{ count: number }>(
      tenantId,
      `select count(*)::int as count from (select from sessions where tenant_id = $1 and desired <> 'deleted' limit $2) s`,
      [tenantId, cap],
    );
    return row?.count ?? 0;
  }

  /** Ids of the sessions that can be sent from, at most two: enough to know whether there is exactly one. */
  async idsForSending(tenantId: string): Promise<string[]> {
    const rows = await this.db.query<{ id: string }>(
      tenantId,
      `select id from sessions where tenant_id = $1 and desired <> 'deleted' limit 2`,
      [tenantId],
    );
    return rows.map(({ id }) => id);
  }

  /**
   * Notes a state and opens or parks the lane with it. False when a newer state is known already, or the session is gone. An
   * answer of the same second counts as newer, unless it says STARTING, which passes within the second; one of a clock that
   * was set back by more than a minute, too.
   */
  async noteState(tenantId: string, id: string, state: SessionState, tx?: TenantTransaction): Promise<boolean> {
    const { status, at, phone, pushName, from, askedMs } = state;
    const askedAgoMs = askedMs === undefined ? null : performance.now() - askedMs;
    const run = tx ?? { query: (text: string, params: unknown[]) => this.db.query(tenantId, text, params) };
    const {
      SESSION_RESTART_PAUSE_MS: pauseMs,
      SESSION_RESTART_PAUSE_MAX_MS: maxMs,
      SESSION_RESTARTS: most,
    } = this.config;
    const params = [tenantId, id, status, at, phone, pushName, from === 'answer', pauseMs, maxMs, most, askedAgoMs];
    const rows = await run.query(NOTE_STATE, params);
    return rows.length > 0;
  }

  /**
   * Notes that WAHA has lost what it knew of the session, or is about to: that it does not know a message of before proves nothing.
   * Not of one that moves: what it left and where it goes share what they know, or it is scanned anew.
   */
  async noteForgotten(tenantId: string, id: string): Promise<void> {
    const text = `update sessions set forgot_at = clock_timestamp() where tenant_id = $1 and id = $2 and move_at is null`;
    await this.db.query(tenantId, text, [tenantId, id]);
  }

  /** Notes that something was heard: an inbound message or an ack. A deaf session is so no more. */
  async noteHeard(
    tx: TenantTransaction,
    tenantId: string,
    id: string,
    heard: 'last_inbound_at' | 'last_ack_at',
  ): Promise<void> {
    await tx.query(noteHeard(heard), [tenantId, id]);
  }

  /** What should be: running or stopped, or as it is (null). Restarts are counted anew: somebody has looked after it. */
  async setDesired(
    tenantId: string,
    id: string,
    desired: 'running' | 'stopped' | null,
    record: Recording,
  ): Promise<void> {
    const params = [tenantId, id, desired, this.config.SESSION_RESTART_PAUSE_MS];
    await this.change(tenantId, record, (tx) => tx.query(SET_DESIRED, params));
  }

  /**
   * Marks it deleted: its lane takes nothing any more, and what is queued is cancelled: a portion of it at once, and the rest,
   * where there is more, by the clock of the messages. History stays.
   */
  async markDeleted(tenantId: string, id: string, record: Recording): Promise<void> {
    await this.change(tenantId, record, async (tx) => {
      // Session before lane, as whoever notes a state does: two that wait for each other would both fail.
      await tx.query(`select from sessions where tenant_id = $1 and id = $2 for no key update`, [tenantId, id]);
      await tx.query(`update lanes set state = 'closed', next_at = null where tenant_id = $1 and session_id = $2`, [
        tenantId,
        id,
      ]);
      // What was open when it was deleted is asked for no more: WAHA has forgotten it too.
      await tx.query(
        `update messages set settle_at = null where tenant_id = $1 and session_id = $2 and status = 'unknown'
          and settle_at is not null`,
        [tenantId, id],
      );
      const ended = await tx.query(CANCEL_WAITING, [tenantId, id, CANCELLED_AT_ONCE]);
      return tx.query(
        `update sessions set desired = 'deleted', next_restart_at = null, updated_at = now(), clearing = clearing or $3::boolean
          where tenant_id = $1 and id = $2 and desired <> 'deleted' returning id`,
        [tenantId, id, ended.length === CANCELLED_AT_ONCE],
      );
    });
  }

  /** All that WAHA may still have. */
  notYetGone(tenantId: string): Promise<LeavingSession[]> {
    return this.db.query<LeavingSession>(
      tenantId,
      `select tenant_id, id, server_id, leaving_server_id, waha_name, webhook_secret from sessions
        where tenant_id = $1 and status <> 'DELETED' order by id`,
      [tenantId],
    );
  }

  /** WAHA has deleted it too: the reconciler has nothing left to do. */
  async markGone(tenantId: string, id: string): Promise<void> {
    await this.db.query(
      tenantId,
      `update sessions set status = 'DELETED', status_at = now(), leaving_server_id = null, move_at = null, needs_scan = false
        where tenant_id = $1 and id = $2`,
      [tenantId, id],
    );
  }

  /** Changes and, where that changed a row, records: both or neither. Answers whether it did. */
  private change(
    tenantId: string,
    record: Recording,
    work: (tx: TenantTransaction) => Promise<unknown[]>,
  ): Promise<boolean> {
    return this.db.transaction(tenantId, async (tx) => {
      const changed = (await work(tx)).length > 0;
      if (changed) await record(tx);
      return changed;
    });
  }
}

/**
 * Counts with the one just inserted. Those who insert at one time count one after the other: each sees what those before it
 * have committed.
 */
async function holdTo(limit: number, tx: TenantTransaction, tenantId: string): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(hashtextextended('sessions ' || $1::text, 0))`, [tenantId]);
  const [row] = await tx.query<{ count: number }>(
    `select count(*)::int as count from sessions where tenant_id = $1 and desired <> 'deleted'`,
    [tenantId],
  );
  if ((row?.count ?? 0) > limit) throw CommonErrors.planLimitReached('sessions', limit);
}
