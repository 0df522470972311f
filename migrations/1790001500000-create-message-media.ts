import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  // The file of a message: fetched, stored, or neither any more. `due_at`: when it is fetched next, or, while somebody fetches
  // it, when that one counts as dead; null where nobody waits for it. `storage_key` is of the last attempt and fences it.
  // `source_url`: where WAHA keeps one that was received; one to send is fetched from where its message says.
  `
    create table message_media (
      tenant_id uuid not null,
      message_id uuid not null,
      state text not null default 'pending' check (state in ('pending', 'stored', 'failed')),
      due_at timestamptz,
      attempts smallint not null default 0,
      storage_key text,
      source_url text,
      mime_type text,
      filename text,
      size_bytes bigint,
      sha256 text,
      error text,
      created_at timestamptz not null default now(),
      stored_at timestamptz,
      constraint message_media_pk primary key (tenant_id, message_id),
      constraint message_media_message_fk foreign key (tenant_id, message_id) references messages (tenant_id, id)
        on delete cascade,
      constraint message_media_stored_check check (state <> 'stored'
        or (storage_key is not null and mime_type is not null and size_bytes is not null and sha256 is not null))
    )`,
  `create index message_media_due on message_media (tenant_id, due_at) where state = 'pending' and due_at is not null`,
  // What a tenant keeps is summed up from the index alone.
  `create index message_media_kept on message_media (tenant_id) include (size_bytes) where state = 'stored'`,
];

const DOWN = [
  // The older service would send what waits for its file as a text.
  `alter table messages no force row level security`,
  `update messages set status = 'cancelled', next_attempt_at = null
    where direction = 'outbound' and type in ('image', 'file', 'voice', 'video') and status in ('scheduled', 'queued')`,
  `alter table messages force row level security`,
  `drop table message_media`,
];

/** The files of messages. */
export class CreateMessageMedia1790001500000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const statement of DOWN) await q.query(statement);
  }
}
