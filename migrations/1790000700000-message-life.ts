import type { MigrationInterface, QueryRunner } from 'typeorm';

const BEFORE = [
  'queued',
  'sending',
  'sent',
  'delivered',
  'read',
  'played',
  'failed',
  'cancelled',
  'unknown',
  'received',
];
const AFTER = [...BEFORE, 'scheduled', 'expired', 'suppressed', 'stalled'];

const allow = (statuses: string[]): string => `
  alter table messages drop constraint messages_status_check,
    add constraint messages_status_check check (status in ('${statuses.join(`', '`)}'))`;

const unusual = (statuses: string): string =>
  `create index messages_unusual on messages (tenant_id, status, id) where status in (${statuses})`;

const UP = [
  allow(AFTER),
  // When to send it at the earliest and at the latest, and by when WhatsApp should have said that it has it: null once it has
  // said so. Of what was sent before, nothing is awaited.
  `alter table messages add scheduled_at timestamptz, add expires_at timestamptz, add ack_due_at timestamptz,
    add constraint messages_expiry_check check (expires_at > scheduled_at)`,
  `create index messages_scheduled on messages (scheduled_at) where status = 'scheduled'`,
  `create index messages_expiring on messages (expires_at)
    where expires_at is not null and status in ('scheduled', 'queued')`,
  `create index messages_unacked on messages (ack_due_at) where status = 'sent' and ack_due_at is not null`,
  `drop index messages_unusual`,
  unusual(`'failed', 'unknown', 'cancelled', 'sending', 'scheduled', 'expired', 'suppressed', 'stalled'`),
];

const DOWN = [
  `drop index messages_scheduled, messages_expiring, messages_unacked, messages_unusual`,
  // What the older service has no word for, in the words that it has: it would send at once what is scheduled. The owner of a
  // table with forced row security sees none of its rows.
  `alter table messages no force row level security`,
  `update messages set status = case status when 'stalled' then 'sent' else 'cancelled' end
    where status in ('scheduled', 'expired', 'suppressed', 'stalled')`,
  `alter table messages force row level security`,
  allow(BEFORE),
  unusual(`'failed', 'unknown', 'cancelled', 'sending'`),
  `alter table messages drop scheduled_at, drop expires_at, drop ack_due_at`,
];

/** A message's whole life: sent later, not after a time, missed by WhatsApp. */
export class MessageLife1790000700000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const statement of DOWN) await q.query(statement);
  }
}
