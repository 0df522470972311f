import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  // A file that is imported. `due_at`: when something is to be done with it, or, while somebody does that, when that one counts
  // as dead; null when all is done. `lease` fences whoever works: only the last one may write. `storage_key`: where the file
  // is, until it is worked off. `next_byte` and `line` say how far it is worked off, in the transaction that does it.
  `
    create table imports (
      tenant_id uuid not null,
      id uuid not null,
      kind text not null check (kind in ('products', 'customers')),
      format text not null check (format in ('csv', 'ndjson')),
      status text not null default 'uploading' check (status in ('uploading', 'queued', 'running', 'finished', 'failed')),
      actor_kind text not null,
      actor_id uuid not null,
      storage_key text,
      size_bytes bigint,
      sha256 text,
      lease uuid,
      due_at timestamptz,
      attempts smallint not null default 0,
      next_byte bigint not null default 0,
      line bigint not null default 0,
      read bigint not null default 0,
      inserted bigint not null default 0,
      updated bigint not null default 0,
      unchanged bigint not null default 0,
      refused bigint not null default 0,
      error text,
      created_at timestamptz not null default now(),
      started_at timestamptz,
      finished_at timestamptz,
      constraint imports_pk primary key (tenant_id, id),
      constraint imports_tenant_fk foreign key (tenant_id) references tenants (id) on delete cascade,
      constraint imports_stored_check check (status not in ('queued', 'running') or (storage_key is not null and size_bytes is not null)),
      constraint imports_counts_check check (read = inserted + updated + unchanged + refused)
    )`,
  `create index imports_due on imports (due_at) where due_at is not null`,
  // A tenant's files are worked off one after another, in the order in which they came.
  `create index imports_open on imports (tenant_id, id) where status in ('queued', 'running')`,
  `create index imports_ended on imports (finished_at) where finished_at is not null`,
  `
    create table import_errors (
      tenant_id uuid not null,
      import_id uuid not null,
      line bigint not null,
      row_id text,
      field text,
      reason text not null,
      constraint import_errors_pk primary key (tenant_id, import_id, line),
      constraint import_errors_import_fk foreign key (tenant_id, import_id) references imports (tenant_id, id) on delete cascade
    )`,
];

/** Files of products and customers that are taken in, and what of them was refused. */
export class CreateImports1790003600000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop table import_errors, imports`);
  }
}
