import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The orders that count. */
const COUNTED = (row: string): string => `${row}.status in ('completed', 'pending')`;

/** A prime: in whichever rhythm tenants take turns, each comes upon it. */
const FOLDS = 61;

const UP = [
  // What each customer spent, and when it was made: lists by tier go through this in their order. The sum once more as text, of
  // one width: under row security only leakproof operators use an index, and those of numeric are not.
  `
    create table customer_totals (
      tenant_id uuid not null,
      customer_id text not null,
      created_at timestamptz not null,
      total numeric(28,4) not null default 0,
      total_key text collate "C" not null generated always as (lpad(replace(total::text, '.', ''), 28, '0')) stored,
      constraint customer_totals_pk primary key (tenant_id, customer_id)
    ) with (fillfactor = 80)`,
  // Whose orders changed since, in whichever transaction. Only ever added to: nobody who orders waits for anybody who orders.
  `
    create table customer_total_changes (
      tenant_id uuid not null,
      id bigint generated always as identity,
      customer_id text not null,
      constraint customer_total_changes_pk primary key (tenant_id, id),
      constraint customer_total_changes_tenant_fk foreign key (tenant_id) references tenants (id) on delete cascade
    ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)`,
  `create index customer_total_changes_customer_idx on customer_total_changes (tenant_id, customer_id)`,
  `
    create function customer_totals_begin() returns trigger language plpgsql security definer
      set search_path = pg_catalog, public, pg_temp as $$
    begin
      insert into public.customer_totals (tenant_id, customer_id, created_at) select tenant_id, id, created_at from fresh;
      return null;
    end $$`,
  // That a customer's orders changed is there with the change, or neither is. Whoever adds one of these sums up all of its tenant
  // that changed, unless somebody is at it: nobody waits. To count them instead would read those that are gone and not cleared
  // away yet. What they spent is never added to but summed up anew: it cannot drift. What goes with
  // its tenant is not subtracted.
  `
    create function customer_totals_note() returns trigger language plpgsql security definer
      set search_path = pg_catalog, public, pg_temp as $$
    declare
      tenant uuid := coalesce(new.tenant_id, old.tenant_id);
      folds boolean;
    begin
      with noted as (
        insert into public.customer_total_changes (tenant_id, customer_id)
        select distinct t.id, c.id from public.tenants t cross join unnest(array[new.customer_id, old.customer_id]) c(id)
        where t.id = tenant and t.deleted_at is null and c.id is not null returning id)
      select bool_or(noted.id % ${FOLDS} = 0) into folds from noted;
      if folds is not true then
        return null;
      end if;
      if pg_try_advisory_xact_lock(hashtextextended('customer totals of ' || tenant, 0)) then
        with gone as (delete from public.customer_total_changes d where d.tenant_id = tenant returning d.customer_id),
        spent as (
          select g.customer_id, (
            select coalesce(sum(o.total), 0) from public.orders o
            where o.tenant_id = tenant and o.customer_id = g.customer_id and ${COUNTED('o')}) as total
          from (select distinct gone.customer_id from gone) g)
        update public.customer_totals t set total = spent.total from spent
        where t.tenant_id = tenant and t.customer_id = spent.customer_id and t.total <> spent.total;
      end if;
      return null;
    end $$`,
  `create trigger orders_totals_insert after insert on orders
    for each row when (${COUNTED('new')}) execute function customer_totals_note()`,
  `create trigger orders_totals_update after update on orders
    for each row when ((${COUNTED('new')}) <> (${COUNTED('old')}) or old.total <> new.total
      or old.customer_id <> new.customer_id) execute function customer_totals_note()`,
  `create trigger orders_totals_delete after delete on orders
    for each row when (${COUNTED('old')}) execute function customer_totals_note()`,
  // After those of the orders, for who writes both begins with the order.
  `create trigger customers_totals_begin after insert on customers
    referencing new table as fresh for each statement execute function customer_totals_begin()`,
  // What is there, which others may read meanwhile; the triggers' locks keep those who write out until the end.
  `
    insert into customer_totals (tenant_id, customer_id, created_at, total)
    select c.tenant_id, c.id, c.created_at, coalesce(s.total, 0) from customers c left join (
      select o.tenant_id, o.customer_id, sum(o.total) as total from orders o where ${COUNTED('o')} group by 1, 2) s
      on s.tenant_id = c.tenant_id and s.customer_id = c.id`,
  `alter table customer_totals add constraint customer_totals_customer_fk
    foreign key (tenant_id, customer_id) references customers (tenant_id, id) on delete cascade`,
  // Few of a tier are found by what they spent, many on the way through the list, from the index alone.
  `create index customer_totals_spent_idx on customer_totals (tenant_id, total_key)`,
  `create index customer_totals_created_idx on customer_totals (tenant_id, created_at, customer_id) include (total_key)`,
];

const DOWN = [
  `drop trigger orders_totals_delete on orders`,
  `drop trigger orders_totals_update on orders`,
  `drop trigger orders_totals_insert on orders`,
  `drop trigger customers_totals_begin on customers`,
  `drop function customer_totals_note()`,
  `drop function customer_totals_begin()`,
  `drop table customer_total_changes, customer_totals`,
];

/** What customers spent, by which lists are narrowed to a tier: all orders of all customers were summed up for each. */
export class TotalCustomers1790004210000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const statement of DOWN) await q.query(statement);
  }
}
