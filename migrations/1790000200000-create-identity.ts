import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  `alter table tenants
     add column quotas jsonb not null default '{}',
     add column version integer not null default 1,
     add column deleted_at timestamptz`,
  `alter table users add column version integer not null default 1`,
  // An API key's secret is never stored: only the SHA-256 of its 256 random bits, and that of the one before while it lives.
  `
    create table api_keys (
      tenant_id uuid not null,
      id uuid not null,
      name text not null check (length(name) between 1 and 100),
      prefix text not null check (length(prefix) <= 32),
      key_hash bytea not null check (length(key_hash) = 32),
      previous_hash bytea check (length(previous_hash) = 32),
      previous_until timestamptz,
      role text check (role in ('TENANT_ADMIN', 'MANAGER', 'AGENT', 'AUDITOR')),
      scopes text[],
      requests_per_minute integer check (requests_per_minute between 1 and 1000000),
      allowed_cidrs text[] not null default '{}',
      expires_at timestamptz,
      revoked_at timestamptz,
      last_used_at timestamptz,
      created_by uuid not null,
      version integer not null default 1,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint api_keys_pk primary key (tenant_id, id),
      constraint api_keys_tenant_fk foreign key (tenant_id) references tenants (id) on delete cascade,
      constraint api_keys_role_or_scopes check ((role is null) <> (scopes is null))
    )`,
  // A request brings a key and names no tenant: which one it is, is the question (system statement apiKeyByHash).
  `create unique index api_keys_by_hash on api_keys (key_hash)`,
  `create unique index api_keys_by_previous_hash on api_keys (previous_hash) where previous_hash is not null`,
  // What was used of the daily quotas; api_calls is added up in the memory of each process and written now and then. granted
  // is how many messages the last statement was allowed: how it learns that (docs/decisions/0013).
  `
    create table tenant_usage (
      tenant_id uuid not null,
      day date not null,
      messages bigint not null default 0 check (messages >= 0),
      granted integer not null default 0,
      api_calls bigint not null default 0,
      constraint tenant_usage_pk primary key (tenant_id, day),
      constraint tenant_usage_tenant_fk foreign key (tenant_id) references tenants (id) on delete cascade
    ) with (fillfactor = 70)`,
  // By email, whoever has it and whether or not anybody does: an HMAC, so that the table names nobody.
  `
    create table login_failures (
      account bytea not null check (length(account) = 32),
      failed_at timestamptz[] not null,
      last_at timestamptz not null,
      locked_until timestamptz,
      constraint login_failures_pk primary key (account)
    )`,
  `create index login_failures_to_purge on login_failures (last_at)`,
  // What is left of a deleted tenant: who it was, and the report of what went.
  `
    create table tenant_purges (
      id uuid not null,
      slug text not null,
      name text not null,
      requested_at timestamptz not null default now(),
      finished_at timestamptz,
      report jsonb not null default '{}',
      constraint tenant_purges_pk primary key (id)
    )`,
  // The one change of a tenant that is the platform's own: the role system may make this one and no other.
  `
    create function tenant_delete(deleted uuid) returns table (id uuid, slug text, name text) language sql security definer
      set search_path = pg_catalog, public, pg_temp as $$
      update public.tenants t set status = 'suspended', deleted_at = now(), updated_at = now(), version = t.version + 1
        where t.id = deleted and t.deleted_at is null returning t.id, t.slug, t.name
    $$`,
];

/** Identity whole: API keys, quotas, lock-out, and what is left of deleted tenants. */
export class CreateIdentity1790000200000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop function tenant_delete(uuid)`);
    await q.query(`drop table tenant_purges, login_failures, tenant_usage, api_keys`);
    await q.query(`alter table users drop column version`);
    await q.query(`alter table tenants drop column quotas, drop column version, drop column deleted_at`);
  }
}
