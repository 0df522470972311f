import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../../platform/database/system-database';
import type { TenantTransaction } from '../../platform/database/tenant-database';

/** A stored event that waits to be applied. */
export interface PendingEvent {
  event: string;
  event_id: string;
  received_at: Date;
  attempts: number;
  body: string;
}

/** What was made of an event. `pending` with a delay: tried again then. */
export interface Handled {
  event: PendingEvent;
  status: 'applied' | 'ignored' | 'failed' | 'pending';
  attempts: number;
  delayMs: number;
  note: string | null;
}

/** Bodies are held in memory while they are applied, of several sessions at once; the last one may go beyond. */
export const BATCH_BYTES = 8 * 1024 * 1024;

/** Where events wait. */
export interface SessionWithEvents {
  tenant_id: string;
  session_id: string;
}

/** Stored events of WAHA, by session. */
@Injectable()
export class WebhookEventsRepository {
  constructor(private readonly system: SystemDatabase) {}

  /** Sessions of any tenant that have events waiting, in their order from the one after this. */
  sessionsDue(limit: number, after: SessionWithEvents): Promise<SessionWithEvents[]> {
    return this.system.run<SessionWithEvents>('sessionsWithEvents', [limit, after.tenant_id, after.session_id]);
  }

  /** Backlog of all tenants; counts stop at 10,001. */
  async backlog(): Promise<{ pending: number; failed: number; oldest_s: number | null }> {
    const [row] = await this.system.run<{ pending: number; failed: number; oldest_s: number | null }>('eventBacklog');
    return row ?? { pending: 0, failed: 0, oldest_s: null };
  }

  /**
   * Makes this transaction the only one that applies the session's events; false when another is at it. The session's row is
   * held before any of its messages, as everybody holds them.
   */
  async lockSession(tx: TenantTransaction, { tenant_id, session_id }: SessionWithEvents): Promise<boolean> {
    const [row] = await tx.query<{ locked: boolean }>(
      `select pg_try_advisory_xact_lock(hashtextextended('events ' || $1, 0)) as locked`,
      [session_id],
    );
    if (!row?.locked) return false;
    await this.hold(tx, { tenant_id, session_id });
    return true;
  }

  /** The same, waiting for whoever is at it. */
  async waitForSession(tx: TenantTransaction, session: SessionWithEvents): Promise<void> {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended('events ' || $1, 0))`, [session.session_id]);
    await this.hold(tx, session);
  }

  /** Holds the session's lane: a state opens or parks it, and lanes come before messages. */
  async holdLane(tx: TenantTransaction, { tenant_id, session_id }: SessionWithEvents): Promise<void> {
    const text = `select from lanes where tenant_id = $1 and session_id = $2 for no key update`;
    await tx.query(text, [tenant_id, session_id]);
  }

  private async hold(tx: TenantTransaction, { tenant_id, session_id }: SessionWithEvents): Promise<void> {
    await tx.query(`select from sessions where tenant_id = $1 and id = $2 for no key update`, [tenant_id, session_id]);
  }

  /** The session's due events in the order in which they came, of some megabytes together at most. */
  pending(tx: TenantTransaction, { tenant_id, session_id }: SessionWithEvents, limit: number): Promise<PendingEvent[]> {
    return tx.query<PendingEvent>(
      `select event, event_id, received_at, attempts, body from (
          select *, sum(octet_length(body)) over (order by seq) - octet_length(body) as bytes_before from webhook_events
          where tenant_id = $1 and session_id = $2 and status = 'pending' and next_at <= clock_timestamp()
          order by seq limit $3) due
        where bytes_before < $4 order by seq`,
      [tenant_id, session_id, limit, BATCH_BYTES],
    );
  }

  /** Writes what was made of them. */
  async mark(tx: TenantTransaction, { tenant_id, session_id }: SessionWithEvents, handled: Handled[]): Promise<void> {
    await tx.query(
      `update webhook_events e set status = g.status, attempts = g.attempts, note = g.note,
          next_at = clock_timestamp() + g.delay_ms * interval '1 ms',
          applied_at = case when g.status in ('applied', 'ignored') then clock_timestamp() end
        from unnest($3::text[], $4::text[], $5::text[], $6::smallint[], $7::int[], $8::text[])
          as g(event, event_id, status, attempts, delay_ms, note)
        where e.tenant_id = $1 and e.session_id = $2 and e.event = g.event and e.event_id = g.event_id`,
      [
        tenant_id,
        session_id,
        handled.map(({ event }) => event.event),
        handled.map(({ event }) => event.event_id),
        handled.map(({ status }) => status),
        handled.map(({ attempts }) => attempts),
        handled.map(({ delayMs }) => delayMs),
        handled.map(({ note }) => note),
      ],
    );
  }
}
