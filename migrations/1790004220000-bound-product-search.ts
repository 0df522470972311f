import type { MigrationInterface, QueryRunner } from 'typeorm';

/** As the index of the search has it. */
const SEARCHED = `(' ' || p.name || ' ' || coalesce(p.brand, '') || ' ' || coalesce(p.category, ''))`;

const ROWS = `table (tenant_id uuid, id text, name text, brand text, category text, price_key text, in_stock boolean,
  created_at timestamptz)`;
const FOUND = `select p.tenant_id, p.id, p.name, p.brand, p.category, p.price_key, p.in_stock, p.created_at from products p
  where p.tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid`;
const MADE = `language sql stable security definer set search_path = public, pg_temp rows 1000`;

const UP = [
  `drop function products_like(text)`,
  // Up to three patterns, so that the index itself sees which products have all of them, and no more products than are asked for.
  // Never by a scan of the table or in the order of another index: what is common among all tenants' products may well be rare
  // among one tenant's.
  `
    create function products_like(patterns text[], most integer) returns ${ROWS} ${MADE}
      set enable_seqscan = off set enable_indexscan = off set enable_indexonlyscan = off as $$
        ${FOUND}
          and ${SEARCHED} ilike patterns[1]
          and ${SEARCHED} ilike coalesce(patterns[2], patterns[1])
          and ${SEARCHED} ilike coalesce(patterns[3], patterns[1])
        limit most
      $$`,
];

const DOWN = [
  `drop function products_like(text[], integer)`,
  `create function products_like(pattern text) returns ${ROWS} ${MADE} as $$
    ${FOUND} and ${SEARCHED} ilike pattern
  $$`,
];

/** The search of products looks at no more than a bounded number of them. */
export class BoundProductSearch1790004220000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const statement of DOWN) await q.query(statement);
  }
}
