import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = [
  // Who acted, what it did, to what. What is personal lies outside the digest, which covers only its salted hash: it can be
  // erased without breaking the chain, and not be changed without breaking it. The metadata are json, not jsonb: kept letter
  // for letter, they have one digest in every version of PostgreSQL, and no text in them is refused.
  `
    create table audit_logs (
      tenant_id uuid not null,
      id uuid not null,
      at timestamptz not null default clock_timestamp(),
      actor_kind text not null check (actor_kind in ('user', 'key', 'platform', 'system', 'nobody')),
      actor_id uuid,
      action text not null check (length(action) between 1 and 64),
      resource text not null check (length(resource) <= 300),
      metadata json not null default '{}',
      request_id text check (length(request_id) <= 128),
      personal text,
      personal_salt bytea,
      personal_hash bytea not null check (length(personal_hash) = 32),
      constraint audit_logs_pk primary key (tenant_id, id, at)
    ) partition by range (at)`,
  `create index audit_logs_by_actor on audit_logs (tenant_id, actor_id, id) where actor_id is not null`,
  `create index audit_logs_by_action on audit_logs (tenant_id, action, id)`,
  `create index audit_logs_by_resource on audit_logs (tenant_id, resource, id)`,
  // What waits to be sealed. Filled by the owner's trigger, so that no record can be written past it.
  `
    create table audit_pending (
      tenant_id uuid not null,
      id uuid not null,
      at timestamptz not null,
      constraint audit_pending_pk primary key (tenant_id, at, id)
    )`,
  // One link of a tenant's chain: a batch of records of one month, in order, with the digest of each.
  `
    create table audit_seals (
      tenant_id uuid not null,
      seq bigint not null check (seq > 0),
      month date not null,
      ids uuid[] not null,
      digests bytea not null,
      batch_digest bytea not null check (length(batch_digest) = 32),
      chain bytea not null check (length(chain) = 32),
      sealed_at timestamptz not null default clock_timestamp(),
      constraint audit_seals_pk primary key (tenant_id, seq)
    )`,
  // Where each chain stands, and from where it can still be checked: what came before was dropped when its time was over.
  // Both ends are signed by the service; of months before kept_from it has agreed to lose the records.
  `
    create table audit_chains (
      tenant_id uuid not null,
      base_seq bigint not null default 0,
      base_chain bytea not null,
      kept_from date not null,
      base_proof bytea not null,
      head_seq bigint not null default 0,
      head_chain bytea not null,
      head_proof bytea not null,
      constraint audit_chains_pk primary key (tenant_id)
    )`,
  `
    create table audit_policy (
      one boolean not null default true check (one),
      retention_days integer not null default 400 check (retention_days > 0),
      constraint audit_policy_pk primary key (one)
    )`,
  `insert into audit_policy default values`,
];

const FUNCTIONS = [
  `
    create function audit_enqueue() returns trigger language plpgsql security definer
      set search_path = pg_catalog, public, pg_temp as $$
    begin
      insert into public.audit_pending (tenant_id, id, at) select tenant_id, id, at from fresh;
      return null;
    end $$`,
  `create trigger audit_logs_enqueue after insert on audit_logs
     referencing new table as fresh for each statement execute function audit_enqueue()`,
  // Months ahead are made long before they are needed. A month past the retention goes as a whole, once its last day is older
  // than that, nothing of it waits to be sealed, and every chain of its records has agreed. Its locks hold up whoever writes a record:
  // where it does not get them soon it gives up, and is called again.
  `
    create function audit_maintain() returns text[] language plpgsql security definer
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
      delete from public.audit_seals s using public.audit_chains c
        where c.tenant_id = s.tenant_id and s.seq <= c.base_seq;
      return gone;
    end $$`,
  // What is personal in the records of a tenant that is being deleted; of no other. So many records at a time as one
  // statement has time for: called until it answers 0.
  `
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
    end $$`,
  `select audit_maintain()`,
];

/** The audit trail: records by month, their seals, and the owner's functions that alone may drop a month or erase a name. */
export class CreateAudit1790000300000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of [...TABLES, ...FUNCTIONS]) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop function audit_erase(uuid), audit_maintain()`);
    await q.query(`drop table audit_policy, audit_chains, audit_seals, audit_pending, audit_logs`);
    await q.query(`drop function audit_enqueue()`);
  }
}
