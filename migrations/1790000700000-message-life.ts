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
  // When to send it at the earliest and at the latest, and when WhatsApp first said that it has it.
  `alter table messages add scheduled_at timestamptz, add expires_at timestamptz, add acked_at timestamptz,
    add constraint messages_expiry_check check (expires_at > scheduled_at)`,
  // Nobody listened for first acks until now: of what was sent before, none is missed.
  `update messages set acked_at = sent_at where status = 'sent' and direction = 'outbound'`,
  `create index messages_scheduled on messages (scheduled_at) where status = 'scheduled'`,
  `create index messages_expiring on messages (expires_at)
    where expires_at is not null and status in ('scheduled', 'queued')`,
  `create index messages_unacked on messages (sent_at) where status = 'sent' and acked_at is null`,
  `drop index messages_unusual`,
  unusual(`'failed', 'unknown', 'cancelled', 'sending', 'scheduled', 'expired', 'suppressed', 'stalled'`),
];

const DOWN = [
  `drop index messages_scheduled, messages_expiring, messages_unacked, messages_unusual`,
  // What the older service has no word for, in the words that it has.
  `update messages set status = case status when 'scheduled' then 'queued' when 'stalled' then 'sent' else 'cancelled' end
    where status in ('scheduled', 'expired', 'suppressed', 'stalled')`,
  allow(BEFORE),
  unusual(`'failed', 'unknown', 'cancelled', 'sending'`),
  `alter table messages drop scheduled_at, drop expires_at, drop acked_at`,
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
