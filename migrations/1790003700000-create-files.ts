import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  // A file that people keep, or (`user_id` is null, the id is its message's) one that came in as a message.
  `
    create table files (
      tenant_id uuid not null,
      id uuid not null,
      user_id uuid,
      name text not null,
      size_bytes bigint not null,
      mime_type text not null,
      sha256 text not null,
      storage_key text not null,
      version integer not null default 1,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint files_pk primary key (tenant_id, id),
      constraint files_tenant_fk foreign key (tenant_id) references tenants (id) on delete cascade
    )`,
  `create index files_by_user on files (tenant_id, user_id, id)`,
  // What a tenant keeps is summed up from the index alone.
  `create index files_kept on files (tenant_id) include (size_bytes)`,
  // Objects that must go unless somebody takes them off this list first: each upload begins here, each deletion ends here, so
  // that nothing is left of either, wherever the process dies. When it is taken, somebody is removing it: it can be kept no more.
  `
    create table object_removals (
      tenant_id uuid not null,
      storage_key text not null,
      due_at timestamptz not null,
      taken boolean not null default false,
      constraint object_removals_pk primary key (tenant_id, storage_key),
      constraint object_removals_tenant_fk foreign key (tenant_id) references tenants (id) on delete cascade
    )`,
  `create index object_removals_due on object_removals (due_at)`,
  // The file whose bytes a message shows. Its size counts there; where it is null, the message has bytes of its own.
  `alter table message_media add column file_id uuid`,
  `create index message_media_by_file on message_media (tenant_id, file_id) where file_id is not null`,
  `drop index message_media_kept`,
  `create index message_media_kept on message_media (tenant_id) include (size_bytes)
    where state = 'stored' and file_id is null`,
  // What came in before is a file too.
  `alter table message_media no force row level security`,
  `insert into files (tenant_id, id, name, size_bytes, mime_type, sha256, storage_key, created_at, updated_at)
    select tenant_id, message_id, coalesce(filename, 'file'), size_bytes, mime_type, sha256, storage_key,
      coalesce(stored_at, created_at), coalesce(stored_at, created_at)
    from message_media where state = 'stored' and source_url is not null`,
  `update message_media set file_id = message_id where state = 'stored' and source_url is not null`,
  `alter table message_media force row level security`,
];

const DOWN = [
  `drop index message_media_kept`,
  `drop index message_media_by_file`,
  `alter table message_media drop column file_id`,
  `create index message_media_kept on message_media (tenant_id) include (size_bytes) where state = 'stored'`,
  `drop table object_removals`,
  `drop table files`,
];

/** Files, and what becomes of their objects. */
export class CreateFiles1790003700000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const statement of DOWN) await q.query(statement);
  }
}
