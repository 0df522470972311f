import type { MigrationInterface, QueryRunner } from 'typeorm';

// How long name and text may be is the API's to say: it counts characters in another way.
const UP = [
  `
    create table templates (
      tenant_id uuid not null,
      id uuid not null,
      name text not null,
      language text not null,
      body text not null,
      version integer not null default 1,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint templates_pk primary key (tenant_id, id),
      constraint templates_tenant_fk foreign key (tenant_id) references tenants (id) on delete cascade
    )`,
  `create unique index templates_name_key on templates (tenant_id, lower(name), language)`,
];

/** Named texts with variables. */
export class CreateTemplates1790001300000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop table templates`);
  }
}
