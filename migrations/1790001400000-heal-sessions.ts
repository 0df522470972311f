import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  // How often it was restarted in a row, when the next restart is due (null: none is), and since when it works.
  `alter table sessions
    add restart_attempts integer not null default 0,
    add next_restart_at timestamptz,
    add working_since timestamptz`,
  `create index sessions_to_restart on sessions (next_restart_at) where next_restart_at is not null`,
  // What WhatsApp never confirmed, by session: whether it is deaf, is one look at this.
  `create index messages_stalled on messages (tenant_id, session_id, sent_at) where status = 'stalled'`,
  // Until now every failed session was parked, and nobody restarted it. The owner of a table with forced row security sees
  // none of its rows.
  `alter table sessions no force row level security`,
  `update sessions set health = 'ok', health_reason = null, next_restart_at = case when desired = 'running' then now() end
    where health = 'parked'`,
  `alter table sessions force row level security`,
];

const DOWN = [
  `drop index messages_stalled, sessions_to_restart`,
  `alter table sessions drop restart_attempts, drop next_restart_at, drop working_since`,
];

/** Sessions that failed, or hear nothing, are restarted a number of times. */
export class HealSessions1790001400000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const statement of DOWN) await q.query(statement);
  }
}
