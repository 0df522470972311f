import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { BatchDatabase } from '../../platform/database/batch-database';
import { GroupCommit } from '../../platform/database/group-commit';
import { Wakeups } from '../../platform/database/wakeups';
import { MessageMetrics } from './message.metrics';

/** A message on its way into the queue. */
export interface Accepted {
  tenantId: string;
  id: string;
  sessionId: string;
  chat: string;
  body: string;
  content: Record<string, unknown>;
  metadata: Record<string, unknown>;
  createdBy: string;
}

// Lanes are locked first and in one order, so that batches cannot deadlock; a closed lane (session deleted) takes nothing.
// next_at is written even if the lane is busy: a worker that is about to let it go idle must not miss this message.
const ACCEPT = `
  with given as (
    select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::jsonb[], $7::jsonb[], $8::uuid[])
      with ordinality as g(tenant_id, id, session_id, chat, body, content, metadata, created_by, position)),
  lane as (
    select l.tenant_id, l.session_id, l.pace_at from lanes l
    where (l.tenant_id, l.session_id) in (select tenant_id, session_id from given) and l.state <> 'closed'
    order by l.tenant_id, l.session_id for no key update),
  accepted as (
    insert into messages (tenant_id, id, session_id, chat, direction, type, status, body, content, metadata, created_by)
    select g.tenant_id, g.id, g.session_id, g.chat, 'outbound', 'text', 'queued', g.body, g.content, g.metadata, g.created_by
    from given g join lane using (tenant_id, session_id) order by g.position
    on conflict (tenant_id, id) do nothing
    returning tenant_id, id, session_id, created_at),
  woken as (
    update lanes l set next_at = least(coalesce(l.next_at, 'infinity'), greatest(lane.pace_at, now()))
    from lane where l.tenant_id = lane.tenant_id and l.session_id = lane.session_id)
  select id, created_at from accepted`;

/**
 * Writes messages into the queue: what comes at the same time travels in one statement, whichever tenants it is of, and each
 * caller is answered after the commit of its message.
 */
@Injectable()
export class MessageAcceptor implements BeforeApplicationShutdown {
  private readonly commits = new GroupCommit<Accepted, Date | null>({ flush: (batch) => this.flush(batch) });

  constructor(
    private readonly db: BatchDatabase,
    private readonly wakeups: Wakeups,
    private readonly metrics: MessageMetrics,
  ) {}

  /** When the message was accepted; null when there is no such session, or a message of that id was there already. */
  accept(message: Accepted): Promise<Date | null> {
    return this.commits.add(message);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.commits.drain();
  }

  private async flush(batch: Accepted[]): Promise<(Date | null)[]> {
    const column = <T>(pick: (message: Accepted) => T): T[] => batch.map(pick);
    const rows = await this.db.query<{ id: string; created_at: Date }>(
      column((m) => m.tenantId),
      ACCEPT,
      [
        column((m) => m.tenantId),
        column((m) => m.id),
        column((m) => m.sessionId),
        column((m) => m.chat),
        column((m) => m.body),
        column((m) => JSON.stringify(m.content)),
        column((m) => JSON.stringify(m.metadata)),
        column((m) => m.createdBy),
      ],
    );
    if (rows.length > 0) this.wakeups.wake('lanes');
    this.metrics.happened('accepted', rows.length);
    const times = new Map(rows.map((row) => [row.id, row.created_at]));
    return batch.map(({ id }) => times.get(id) ?? null);
  }
}
