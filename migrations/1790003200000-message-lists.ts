import type { MigrationInterface, QueryRunner } from 'typeorm';

const UNUSUAL = `'failed', 'unknown', 'cancelled', 'sending', 'scheduled', 'expired', 'suppressed', 'stalled'`;

// Lists are read in the order of ids: a filter without an index in that order reads past all that is newer than the few that
// fit it. Each index costs each message, so those values have none that most messages have in the end.
const UP = [
  `create index messages_by_session on messages (tenant_id, session_id, id)`,
  `create index messages_by_status on messages (tenant_id, status, id) where status in (${UNUSUAL}, 'queued', 'played',
    'received')`,
  `create index messages_by_type on messages (tenant_id, type, id) where type <> 'text'`,
  `drop index messages_unusual`,
  // Health counts those of all tenants.
  `create index messages_unknown on messages (tenant_id, id) where status = 'unknown'`,
];

const DOWN = [
  `create index messages_unusual on messages (tenant_id, status, id) where status in (${UNUSUAL})`,
  `drop index messages_unknown, messages_by_type, messages_by_status, messages_by_session`,
];

/** Indexes for lists of messages. */
export class MessageLists1790003200000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const statement of DOWN) await q.query(statement);
  }
}
