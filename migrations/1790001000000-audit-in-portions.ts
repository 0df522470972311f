import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The upkeep of the months; the line that deletes seals stands in it or not. */
const maintain = (seals: string): string => `
  create or replace function audit_maintain() returns text[] language plpgsql security definer
    set search_path = pg_catalog, public, pg_temp set lock_timeout = '2s' as $$
  declare
    this_month date := date_trunc('month', now() at time zone 'UTC');
    keep_from date;
    first_day date;
    gone text[] := '{}';
    part record;
  begin
    perform pg_advisory_xact_lock(7266100919);
    select date_trunc('month', (now() at time zone 'UTC') - make_interval(days => retention_days)) into keep_from
      from public.audit_policy;
    for ahead in -1..14 loop
      first_day := this_month + make_interval(months => ahead);
      if first_day >= keep_from
          and to_regclass(format('public.audit_logs_%s', to_char(first_day, 'YYYYMM'))) is null then
        execute format('create table public.audit_logs_%s partition of public.audit_logs for values from (%L) to (%L)',
          to_char(first_day, 'YYYYMM'), first_day::timestamp at time zone 'UTC',
          (first_day + interval '1 month') at time zone 'UTC');
      end if;
    end loop;
    for part in select c.relname as name, to_date(right(c.relname, 6), 'YYYYMM') as first_day
        from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'public.audit_logs'::regclass and c.relname ~ '^audit_logs_[0-9]{6}$' order by 2 loop
      continue when part.first_day >= keep_from
        or exists (select from public.audit_pending p where p.at >= part.first_day::timestamp at time zone 'UTC'
          and p.at < (part.first_day + interval '1 month') at time zone 'UTC')
        or exists (select from public.audit_chains c where c.kept_from <= part.first_day
          and exists (select from public.audit_logs l where l.tenant_id = c.tenant_id
            and l.at >= part.first_day::timestamp at time zone 'UTC'
            and l.at < (part.first_day + interval '1 month') at time zone 'UTC'));
      execute format('drop table public.%I', part.name);
      gone := gone || part.name::text;
    end loop;
    ${seals}
    return gone;
  end $$`;

const DELETE_SEALS = `delete from public.audit_seals s using public.audit_chains c
      where c.tenant_id = s.tenant_id and s.seq <= c.base_seq;`;

// Seals before the place that their chain begins at, so many at a time: called until it answers 0. They are in nobody's way
// and need none of the locks of the months.
const FORGET_SEALS = `
  create function audit_forget_seals() returns bigint language plpgsql security definer
    set search_path = pg_catalog, public, pg_temp as $$
  declare
    gone bigint;
  begin
    delete from public.audit_seals s using (
        select old.tenant_id, old.seq from public.audit_chains c cross join lateral (
          select o.tenant_id, o.seq from public.audit_seals o
            where o.tenant_id = c.tenant_id and o.seq <= c.base_seq order by o.seq limit 1000) old
        where c.base_seq > 0 limit 1000) old
      where s.tenant_id = old.tenant_id and s.seq = old.seq;
    get diagnostics gone = row_count;
    return gone;
  end $$`;

const ERASE_ANY = `
  create function audit_erase(erased uuid) returns bigint language plpgsql security definer
    set search_path = pg_catalog, public, pg_temp as $$
  declare
    touched bigint;
  begin
    if not exists (select from public.tenant_purges where id = erased)
        or exists (select from public.tenants where id = erased and deleted_at is null) then
      raise exception 'The tenant is not being deleted';
    end if;
    update public.audit_logs l set personal = null, personal_salt = null
      from (select tenant_id, id, at from public.audit_logs
        where tenant_id = erased and personal is not null limit 50000) batch
      where l.tenant_id = batch.tenant_id and l.id = batch.id and l.at = batch.at;
    get diagnostics touched = row_count;
    return touched;
  end $$`;

// A portion of the tenant's records after that id, in the order of their ids; up_to is null behind the last one. What another
// call has erased meanwhile does not count again.
const ERASE_AFTER = `
  create function audit_erase(erased uuid, after uuid, out touched bigint, out up_to uuid) language plpgsql security definer
    set search_path = pg_catalog, public, pg_temp as $$
  begin
    if not exists (select from public.tenant_purges where id = erased)
        or exists (select from public.tenants where id = erased and deleted_at is null) then
      raise exception 'The tenant is not being deleted';
    end if;
    with portion as materialized (
        select l.id, l.at from public.audit_logs l where l.tenant_id = erased and l.id > after order by l.id limit 20000),
      done as (
        update public.audit_logs l set personal = null, personal_salt = null from portion p
          where l.tenant_id = erased and l.id = p.id and l.at = p.at and l.personal is not null returning 1)
      select (select count(*) from done), (select p.id from portion p order by p.id desc limit 1) into touched, up_to;
  end $$`;

/** What the audit trail loses goes in portions, each as long as a statement may be. */
export class AuditInPortions1790001000000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(maintain(''));
    await q.query(FORGET_SEALS);
    await q.query(`drop function audit_erase(uuid)`);
    await q.query(ERASE_AFTER);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop function audit_forget_seals(), audit_erase(uuid, uuid)`);
    await q.query(ERASE_ANY);
    await q.query(maintain(DELETE_SEALS));
  }
}
