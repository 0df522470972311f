import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A UUIDv7 (RFC 9562 §5.7) of that time, of what any PostgreSQL has. */
const idAt = (time: string): string => `
  encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    placing substring(int8send(floor(extract(epoch from ${time}) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid`;

const UP = [
  // What people do in WhatsApp to a message that is there: by WhatsApp's time, so that what comes late undoes nothing newer.
  `alter table messages add edited_at timestamptz, add revoked_at timestamptz`,
  // One row for each who has ever reacted. Who has taken the reaction back keeps an empty one: an older one may still come.
  `
    create table message_reactions (
      tenant_id uuid not null,
      message_id uuid not null,
      sender text not null check (length(sender) <= 128),
      emoji text not null check (length(emoji) <= 64),
      at timestamptz not null,
      constraint message_reactions_pk primary key (tenant_id, message_id, sender),
      constraint message_reactions_message_fk foreign key (tenant_id, message_id)
        references messages (tenant_id, id) on delete cascade
    )`,
  // An event gets an id that people can name. The owner of a table with forced row security sees none of its rows.
  `alter table webhook_events add id uuid, add seen_at timestamptz`,
  `alter table webhook_events no force row level security`,
  `update webhook_events set id = ${idAt('received_at')}`,
  `alter table webhook_events force row level security`,
  `alter table webhook_events alter id set not null, alter id set default ${idAt('clock_timestamp()')}`,
  `drop index webhook_events_by_status`,
  `create index webhook_events_by_status on webhook_events (tenant_id, status, id)`,
  `create index webhook_events_failed on webhook_events (received_at) where status = 'failed'`,
];

const DOWN = [
  `drop index webhook_events_by_status, webhook_events_failed`,
  `create index webhook_events_by_status on webhook_events (tenant_id, status, seq) where status = 'failed'`,
  `alter table webhook_events drop id, drop seen_at`,
  `drop table message_reactions`,
  `alter table messages drop edited_at, drop revoked_at`,
];

/** Edits, revocations and reactions; and events that people can name, look at and have applied again. */
export class ChangesAndEvents1790001200000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const statement of DOWN) await q.query(statement);
  }
}
