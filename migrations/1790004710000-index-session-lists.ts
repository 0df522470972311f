import type { MigrationInterface, QueryRunner } from 'typeorm';

// A list of one direction of a session, and of what few of its messages come to, is read from an index as well. Both directions of
// a session are read side by side: an index more would cost each message. No message that goes well is in the other index.
// Made beside those who write; what a run that died left of one is never read, and goes first.
const UP = [
  `drop index concurrently if exists messages_by_session_direction`,
  `create index concurrently messages_by_session_direction on messages (tenant_id, session_id, direction, id)`,
  `drop index concurrently if exists messages_by_session_status`,
  `create index concurrently messages_by_session_status on messages (tenant_id, session_id, status, id)
    where status in ('failed', 'unknown', 'cancelled', 'expired', 'suppressed', 'stalled', 'scheduled')`,
  `drop index concurrently if exists messages_by_session`,
];

const DOWN = [
  `create index messages_by_session on messages (tenant_id, session_id, id)`,
  `drop index messages_by_session_status, messages_by_session_direction`,
];

/** Lists of a session's messages, narrowed further. */
export class IndexSessionLists1790004710000 implements MigrationInterface {
  readonly transaction = false;

  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const statement of DOWN) await q.query(statement);
  }
}
