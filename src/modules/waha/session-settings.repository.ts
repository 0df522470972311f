import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../../platform/database/tenant-database';
import type { Pace, SessionRow } from './sessions.repository';

/** What people edit of a session. */
export type SessionSettings = Pick<SessionRow, 'name' | 'metadata' | 'version'> & Pace;

// Under a new pace the session's turn comes by that pace: what it has saved up under the old one is kept, as far as the new
// burst goes. While its server is away (strikes), it waits for that.
const SET_PACE = `
  with t as (
    select least($4::int, l.burst, l.tokens + extract(epoch from clock_timestamp() - l.tokens_at) * l.per_minute / 60.0) as tokens
    from lanes l where l.tenant_id = $1 and l.session_id = $2 for no key update),
  p as (select t.tokens, clock_timestamp() + greatest(0, (1 - t.tokens) * 60000 / $3::int) * interval '1 ms' as at from t)
  update lanes l set per_minute = $3, burst = $4, jitter_ms = $5, tokens = p.tokens, tokens_at = clock_timestamp(),
    pace_at = case when l.strikes = 0 then p.at else l.pace_at end,
    next_at = case when l.strikes = 0 and l.next_at is not null then p.at else l.next_at end
  from p where l.tenant_id = $1 and l.session_id = $2`;

/** Reads and writes what people edit of a session, within a transaction of its tenant. */
@Injectable()
export class SessionSettingsRepository {
  /** Locked until the transaction ends, the session before its lane; null when there is none, or it was deleted. */
  async lock(tx: TenantTransaction, tenantId: string, id: string): Promise<SessionSettings | null> {
    const [session] = await tx.query<Pick<SessionSettings, 'name' | 'metadata' | 'version'>>(
      `select name, metadata, version from sessions
        where tenant_id = $1 and id = $2 and desired <> 'deleted' for no key update`,
      [tenantId, id],
    );
    if (!session) return null;
    const [pace] = await tx.query<Pace>(
      `select per_minute, burst, jitter_ms from lanes where tenant_id = $1 and session_id = $2 for no key update`,
      [tenantId, id],
    );
    return pace ? { ...session, ...pace } : null;
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

  /** Sets the pace of the session's lane, which is locked. */
  async savePace(tx: TenantTransaction, tenantId: string, id: string, pace: Pace): Promise<void> {
    await tx.query(SET_PACE, [tenantId, id, pace.per_minute, pace.burst, pace.jitter_ms]);
  }
}
