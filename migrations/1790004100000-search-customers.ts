import type { MigrationInterface, QueryRunner } from 'typeorm';

/** All that `q` looks in. What is found in this is looked at once more, part by part. */
const SEARCHED = `(coalesce(c.name, '') || ' ' || coalesce(c.email, '') || ' ' || coalesce(c.phone, ''))`;

const UP = [
  `create index customers_search_idx on customers using gin (tenant_id, ${SEARCHED.replaceAll('c.', '')} gin_trgm_ops)`,
  // ILIKE is not leakproof, so behind row security it uses no index. The function sees the customers of the tenant in scope, and
  // gives nothing of them but their ids, and no more of these than it is asked for; the customers themselves are read through the
  // wall. Never by a scan of the table: what is common among all tenants' customers may well be rare among one tenant's.
  `
    create function customers_like(pattern text, most integer) returns table (id text)
      language sql stable security definer set search_path = public, pg_temp set enable_seqscan = off rows 1000 as $$
        select c.id from customers c
        where c.tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid and ${SEARCHED} ilike pattern
        limit most
      $$`,
];

/** The search of customers by a part of what names them. */
export class SearchCustomers1790004100000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop function customers_like(text, integer)`);
    await q.query(`drop index customers_search_idx`);
  }
}
