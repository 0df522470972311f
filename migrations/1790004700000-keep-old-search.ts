import type { MigrationInterface, QueryRunner } from 'typeorm';

/** As the index of the search has it. */
const SEARCHED = `(' ' || p.name || ' ' || coalesce(p.brand, '') || ' ' || coalesce(p.category, ''))`;

const UP = [
  // As it was before it was bounded: what runs beside a newer version until it is replaced still asks for this one, and could not
  // start again without it.
  `
    create function products_like(pattern text)
      returns table (tenant_id uuid, id text, name text, brand text, category text, price_key text, in_stock boolean,
        created_at timestamptz)
      language sql stable security definer set search_path = public, pg_temp rows 1000 as $$
        select p.tenant_id, p.id, p.name, p.brand, p.category, p.price_key, p.in_stock, p.created_at from products p
        where p.tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid and ${SEARCHED} ilike pattern
      $$`,
];

/** The search of products as the version before asks for it. */
export class KeepOldSearch1790004700000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop function products_like(text)`);
  }
}
