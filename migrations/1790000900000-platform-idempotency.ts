import type { MigrationInterface, QueryRunner } from 'typeorm';

const DELETE_ANY = `
  create function tenant_delete(deleted uuid) returns table (id uuid, slug text, name text) language sql security definer
    set search_path = pg_catalog, public, pg_temp as $$
    update public.tenants t set status = 'suspended', deleted_at = now(), updated_at = now(), version = t.version + 1
      where t.id = deleted and t.deleted_at is null returning t.id, t.slug, t.name
  $$`;

// Of the versions expected, as ETags spell them; null for whichever it has.
const DELETE_EXPECTED = `
  create function tenant_delete(deleted uuid, expected text[]) returns table (id uuid, slug text, name text)
    language sql security definer set search_path = pg_catalog, public, pg_temp as $$
    update public.tenants t set status = 'suspended', deleted_at = now(), updated_at = now(), version = t.version + 1
      where t.id = deleted and t.deleted_at is null and (expected is null or '"' || t.version || '"' = any (expected))
      returning t.id, t.slug, t.name
  $$`;

/** The platform administrator, who acts in no tenant, names versions and idempotency keys like everybody else. */
export class PlatformIdempotency1790000900000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`drop function tenant_delete(uuid)`);
    await q.query(DELETE_EXPECTED);
    // The platform's own keys belong to no row of tenants. What a tenant leaves, its purge deletes like all its rows.
    await q.query(`alter table idempotency_keys drop constraint idempotency_keys_tenant_fk`);
  }

  async down(q: QueryRunner): Promise<void> {
    // The owner of a table with forced row security sees none of its rows.
    await q.query(`alter table idempotency_keys no force row level security`);
    await q.query(`delete from idempotency_keys k where not exists (select from tenants t where t.id = k.tenant_id)`);
    await q.query(`alter table idempotency_keys force row level security`);
    await q.query(`alter table idempotency_keys add constraint idempotency_keys_tenant_fk
      foreign key (tenant_id) references tenants (id) on delete cascade`);
    await q.query(`drop function tenant_delete(uuid, text[])`);
    await q.query(DELETE_ANY);
  }
}
