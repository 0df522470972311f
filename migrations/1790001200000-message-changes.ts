import type { MigrationInterface, QueryRunner } from 'typeorm';

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
];

const DOWN = [`drop table message_reactions`, `alter table messages drop edited_at, drop revoked_at`];

/** Edits, revocations and reactions. */
export class MessageChanges1790001200000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const statement of DOWN) await q.query(statement);
  }
}
