import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which rows count: files, the file that a message alone has, and one that waits to be imported. */
const KEPT: Record<string, (row: string) => string> = {
  files: (row) => `${row}.size_bytes is not null`,
  message_media: (row) => `(${row}.state = 'stored' and ${row}.file_id is null)`,
  imports: (row) => `(${row}.storage_key is not null)`,
};

/** They run for rows whose bytes begin to count, cease to, or are another number; of other changes nobody pays for them. */
const triggersOf = ([table, kept]: [string, (row: string) => string]): string[] => {
  const [now, before] = [kept('new'), kept('old')];
  const trigger = (event: string, what: string, when: string): string => `
    create trigger ${table}_storage_${event}_${what} after ${event} on ${table}
      for each row when (${when}) execute function storage_note('${what}')`;
  return [
    trigger('insert', 'gained', now),
    trigger('update', 'gained', `${now} and not ${before}`),
    trigger('update', 'lost', `${before} and not ${now}`),
    trigger('update', 'resized', `${before} and ${now} and old.size_bytes is distinct from new.size_bytes`),
    trigger('delete', 'lost', before),
  ];
};

const SUM = Object.entries(KEPT)
  .map(([table, kept]) => `select r.tenant_id, r.size_bytes from ${table} r where ${kept('r')}`)
  .join(' union all ');

/** A prime: in whichever rhythm tenants take turns, each comes upon it. */
const FOLDS = 61;

const UP = [
  `
    create table storage_totals (
      tenant_id uuid not null,
      bytes bigint not null,
      constraint storage_totals_pk primary key (tenant_id),
      constraint storage_totals_tenant_fk foreign key (tenant_id) references tenants (id) on delete cascade
    ) with (fillfactor = 50)`,
  // What came and went since, in whichever transaction. Only ever added to: nobody who stores waits for anybody who stores.
  `
    create table storage_changes (
      tenant_id uuid not null,
      id bigint generated always as identity,
      bytes bigint not null,
      constraint storage_changes_pk primary key (tenant_id, id),
      constraint storage_changes_tenant_fk foreign key (tenant_id) references tenants (id) on delete cascade
    ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)`,
  // One place for all statements that keep bytes or give them up. The change is there with the row, or neither is. Whoever adds
  // one of these folds all of its tenant into the total, unless somebody is at it: nobody waits, and no lock is held but by who
  // folds. To count them instead would read those that are gone and not cleared away yet. What goes with its tenant is not
  // subtracted.
  `
    create function storage_note() returns trigger language plpgsql security definer
      set search_path = pg_catalog, public, pg_temp as $$
    declare
      tenant uuid := coalesce(new.tenant_id, old.tenant_id);
      difference bigint := case tg_argv[0] when 'gained' then coalesce(new.size_bytes, 0)
        when 'lost' then -coalesce(old.size_bytes, 0) else coalesce(new.size_bytes, 0) - coalesce(old.size_bytes, 0) end;
      noted bigint;
    begin
      insert into public.storage_changes (tenant_id, bytes)
        select t.id, difference from public.tenants t where t.id = tenant and t.deleted_at is null and difference <> 0
        returning id into noted;
      if noted is null or noted % ${FOLDS} <> 0 then
        return null;
      end if;
      if pg_try_advisory_xact_lock(hashtextextended('storage total of ' || tenant, 0)) then
        with gone as (delete from public.storage_changes c where c.tenant_id = tenant returning c.bytes)
        insert into public.storage_totals as t (tenant_id, bytes)
          select tenant, sum(gone.bytes) from gone having count(*) > 0
          on conflict (tenant_id) do update set bytes = t.bytes + excluded.bytes;
      end if;
      return null;
    end $$`,
  ...Object.entries(KEPT).flatMap(triggersOf),
  // What is there, which others may read meanwhile; the triggers' locks keep those who write out until the end.
  `insert into storage_totals (tenant_id, bytes)
    select tenant_id, sum(size_bytes) from (${SUM}) kept group by 1 having sum(size_bytes) > 0`,
  `drop index files_kept`,
  `drop index message_media_kept`,
  `drop index imports_kept`,
];

const DOWN = [
  `create index imports_kept on imports (tenant_id) include (size_bytes) where storage_key is not null`,
  `create index message_media_kept on message_media (tenant_id) include (size_bytes)
    where state = 'stored' and file_id is null`,
  `create index files_kept on files (tenant_id) include (size_bytes)`,
  ...Object.entries(KEPT)
    .flatMap(triggersOf)
    .map((made) => `drop trigger ${/trigger (\w+) .* on (\w+)/.exec(made)?.slice(1).join(' on ')}`),
  `drop function storage_note()`,
  `drop table storage_changes, storage_totals`,
];

/** What each tenant keeps, as a running total: it was summed up of all its files for each that it stored. */
export class TotalStorage1790004200000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const statement of DOWN) await q.query(statement);
  }
}
