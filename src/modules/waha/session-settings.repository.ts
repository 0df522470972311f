import { Injectable } from '@nestjs/common';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';
import { LANE_COLUMNS, LANE_SETTINGS, LANE_VALUES, laneSettings } from './lane-settings';
import type { SessionRow } from './sessions.repository';

/** What people edit of a session. */
export type SessionSettings = Pick<SessionRow, 'name' | 'metadata' | 'version'> & LaneSettings;

type LaneSettings = Pick<SessionRow, 'pace' | 'quiet_hours'>;

// Under a new pace the session's turn comes by that pace: what it has saved up under the old one is kept, as far as the new
// burst goes. While its server is away (strikes), it waits for that. A ramp that is switched on begins anew.
const SET_LANE = `
  with t as (
    select least(p.burst, l.tokens + extract(epoch from clock_timestamp() - l.tokens_at) * l.per_minute / 60.0) as tokens,
      w.enabled and not l.warmup as ramps, ${LANE_VALUES}
    from lanes l, ${laneSettings('$3', '$4')} where l.tenant_id = $1 and l.session_id = $2 for no key update of l),
  n as (select t.*, clock_timestamp() + greatest(0, (1 - t.tokens) * 60000 / t.per_minute) * interval '1 ms' as at from t)
  update lanes l set (${LANE_COLUMNS}) = (select n.per_minute, n.burst, n.jitter_ms, n.daily_cap, n.first_contacts_per_day,
      n.enabled, n.days, n.start_per_day, n."from", n."to"),
    tokens = n.tokens, tokens_at = clock_timestamp(),
    warmup_from = case when n.ramps then null else l.warmup_from end,
    pace_at = case when l.strikes = 0 then n.at else l.pace_at end,
    next_at = case when l.strikes = 0 and l.next_at is not null then n.at else l.next_at end
  from n where l.tenant_id = $1 and l.session_id = $2`;

/** Reads and writes what people edit of a session, within a transaction of its tenant. */
@Injectable()
export class SessionSettingsRepository {
  constructor(private readonly db: TenantDatabase) {}

  /** Locked until the transaction ends, the session before its lane; null when there is none, or it was deleted. */
  async lock(tx: TenantTransaction, tenantId: string, id: string): Promise<SessionSettings | null> {
    const [session] = await tx.query<Pick<SessionSettings, 'name' | 'metadata' | 'version'>>(
      `select name, metadata, version from sessions
        where tenant_id = $1 and id = $2 and desired <> 'deleted' for no key update`,
      [tenantId, id],
    );
    if (!session) return null;
    const [lane] = await tx.query<LaneSettings>(
      `select ${LANE_SETTINGS} from lanes l where tenant_id = $1 and session_id = $2 for no key update`,
      [tenantId, id],
    );
    return lane ? { ...session, ...lane } : null;
  }

  /** Lets the tenant's lanes look again at what they may send: its days, or its quiet hours, may be others now. */
  async wakeLanes(tenantId: string): Promise<void> {
    await this.db.query(
      tenantId,
      `update lanes l set next_at = greatest(l.pace_at, clock_timestamp()) from (
          select tenant_id, session_id from lanes
          where tenant_id = $1 and owner is null and state = 'open' and next_at > clock_timestamp()
          order by session_id for no key update) s
        where l.tenant_id = s.tenant_id and l.session_id = s.session_id`,
      [tenantId],
    );
  }

  /** Breaks sessions_name_key. */
  async save(tx: TenantTransaction, tenantId: string, id: string, settings: SessionSettings): Promise<void> {
    const { name, metadata } = settings;
    await tx.query(
      `update sessions set name = $3, metadata = $4, version = version + 1, updated_at = now()
        where tenant_id = $1 and id = $2`,
      [tenantId, id, name, metadata],
    );
  }

  /** Sets pace and quiet hours of the session's lane, which is locked. */
  async saveLane(tx: TenantTransaction, tenantId: string, id: string, lane: LaneSettings): Promise<void> {
    await tx.query(SET_LANE, [tenantId, id, lane.pace, lane.quiet_hours]);
  }
}
