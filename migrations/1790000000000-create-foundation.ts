import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  `
      create table tenants (
        id uuid not null,
        slug text not null,
        name text not null check (length(name) between 1 and 200),
        plan text not null default 'unlimited',
        status text not null default 'active' check (status in ('active', 'suspended')),
        settings jsonb not null default '{}',
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        constraint tenants_pk primary key (id),
        constraint tenants_slug_key unique (slug),
        constraint tenants_slug_check check (slug ~ '^[a-z0-9][a-z0-9-]{1,62}$')
      )`,
  `
      create table users (
        tenant_id uuid not null,
        id uuid not null,
        email text not null check (email = lower(email) and length(email) <= 254),
        name text not null check (length(name) <= 200),
        role text not null check (role in ('TENANT_ADMIN', 'MANAGER', 'AGENT', 'AUDITOR')),
        status text not null default 'active' check (status in ('active', 'inactive')),
        password_hash text not null,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        constraint users_pk primary key (tenant_id, id),
        constraint users_tenant_fk foreign key (tenant_id) references tenants (id) on delete cascade,
        constraint users_email_key unique (tenant_id, email)
      )`,
  // The one look-up that knows no tenant yet: logging in by email (system statement loginsByEmail).
  `create index users_by_email on users (email)`,
  `
      create table logins (
        tenant_id uuid not null,
        id uuid not null,
        user_id uuid not null,
        seed bytea not null check (length(seed) = 32),
        generation integer not null default 0,
        rotated_at timestamptz not null default now(),
        created_at timestamptz not null default now(),
        last_used_at timestamptz not null default now(),
        expires_at timestamptz not null,
        ip text,
        user_agent text,
        revoked_at timestamptz,
        revoke_reason text,
        constraint logins_pk primary key (tenant_id, id),
        constraint logins_user_fk foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
      )`,
  `create index logins_by_user on logins (tenant_id, user_id)`,
  `
      create table idempotency_keys (
        tenant_id uuid not null,
        actor_id uuid not null,
        route text not null,
        key text not null,
        fingerprint text not null,
        resource_id uuid not null,
        state text not null check (state in ('running', 'done')),
        lease_until timestamptz not null,
        response_status smallint,
        response_body text,
        created_at timestamptz not null default now(),
        constraint idempotency_keys_pk primary key (tenant_id, actor_id, route, key),
        constraint idempotency_keys_tenant_fk foreign key (tenant_id) references tenants (id) on delete cascade
      )`,
  // What the purge job looks for, over all tenants.
  `create index idempotency_keys_to_purge on idempotency_keys (created_at)`,
  `create index logins_to_purge on logins (expires_at)`,
];

/**
 * Tenants, users, their logins, and the answers kept for idempotency keys. Row security and grants are not written here:
 * `raiseTenantWall` puts them on every table that has a tenant, after each migration run (docs/decisions/0002).
 */
export class CreateFoundation1790000000000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop table idempotency_keys, logins, users, tenants`);
  }
}
