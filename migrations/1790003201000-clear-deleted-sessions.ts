import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  // Deleted, and more waits of it than was cancelled at once: a clock cancels the rest.
  `alter table sessions add clearing boolean not null default false`,
  `create index sessions_clearing on sessions (tenant_id, id) where clearing`,
  // What waits for its time, by its session: the rest of the history is not looked through for it.
  `create index messages_scheduled_of on messages (tenant_id, session_id) where status = 'scheduled'`,
];

const DOWN = [
  // The older service looks for nothing of a deleted session. The owner of a table with forced row security sees none of its
  // rows.
  `alter table messages no force row level security`,
  `alter table sessions no force row level security`,
  `update messages m set status = 'cancelled', next_attempt_at = null from sessions s
    where s.clearing and m.tenant_id = s.tenant_id and m.session_id = s.id and m.status in ('queued', 'scheduled')`,
  `alter table messages force row level security`,
  `alter table sessions force row level security`,
  `drop index messages_scheduled_of`,
  `alter table sessions drop clearing`,
];

/** Sessions that are deleted while much waits in them. */
export class ClearDeletedSessions1790003201000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const statement of DOWN) await q.query(statement);
  }
}
