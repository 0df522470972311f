import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What `q` looks in; a blank before each part, so that the beginning of a word can be told. */
const SEARCHED = `(' ' || p.name || ' ' || coalesce(p.brand, '') || ' ' || coalesce(p.category, ''))`;

const SORTS = { price: 'price_key', name: 'name', created: 'created_at' };

/** For each filter a list in each order is read from one index, as many rows as it shows. */
const LISTS = Object.entries(SORTS).flatMap(([sort, column]) => [
  `create index products_category_${sort}_idx on products (tenant_id, category, ${column}, id) where category is not null`,
  `create index products_brand_${sort}_idx on products (tenant_id, brand, ${column}, id) where brand is not null`,
  `create index products_in_stock_${sort}_idx on products (tenant_id, in_stock, ${column}, id)`,
]);

const UP = [
  // Under row security only leakproof operators use an index, and those of numeric are not: the price once more as text, of
  // one width, orders and compares as the number does (docs/decisions/0030).
  `
    alter table products
      add column price_key text collate "C" not null generated always as (lpad(replace(price::text, '.', ''), 19, '0')) stored,
      add column in_stock boolean not null generated always as (stock > 0) stored`,
  // Room on each page for the next version of a row: taking from stock touches no index then.
  `alter table products set (fillfactor = 90)`,
  `drop index products_price_idx`,
  `create index products_price_idx on products (tenant_id, price_key, id)`,
  ...LISTS,
  `create extension if not exists btree_gin`,
  `create extension if not exists pg_trgm`,
  `create index products_search_idx on products using gin (tenant_id, ${SEARCHED.replaceAll('p.', '')} gin_trgm_ops)`,
  // ILIKE is not leakproof either. The function sees the rows of the tenant in scope, and gives of them what lists are
  // narrowed and ordered by; the products themselves are read through the wall.
  `
    create function products_like(pattern text)
      returns table (tenant_id uuid, id text, name text, brand text, category text, price_key text, in_stock boolean,
        created_at timestamptz)
      language sql stable security definer set search_path = public, pg_temp rows 1000 as $$
        select p.tenant_id, p.id, p.name, p.brand, p.category, p.price_key, p.in_stock, p.created_at from products p
        where p.tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid and ${SEARCHED} ilike pattern
      $$`,
  `
    create table product_requests (
      tenant_id uuid not null,
      id uuid not null,
      product_id text not null,
      created_at timestamptz not null default now(),
      constraint product_requests_pk primary key (tenant_id, id),
      constraint product_requests_tenant_fk foreign key (tenant_id) references tenants (id) on delete cascade
    )`,
  `create index product_requests_to_purge on product_requests (created_at)`,
];

const DOWN = [
  `drop table product_requests`,
  `drop function products_like(text)`,
  `drop index products_search_idx`,
  // The extensions stay: another owner of this database may have begun to use them.
  `alter table products reset (fillfactor)`,
  `alter table products drop column price_key, drop column in_stock`,
  `create index products_price_idx on products (tenant_id, price, id)`,
];

/**
 * The orders and the search of the list of products, and which requests with an Idempotency-Key have been done: one whose
 * process died after its commit must not take the same pieces again.
 */
export class IndexProducts1790003300000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const statement of DOWN) await q.query(statement);
  }
}
