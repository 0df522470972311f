import type { MigrationInterface, QueryRunner } from 'typeorm';

/** As the index of the search has it. */
const SEARCHED = `(' ' || p.name || ' ' || coalesce(p.brand, '') || ' ' || coalesce(p.category, ''))`;

const WORDS = ['one', 'two', 'three'];
const ALL = WORDS.map((_, nth) => WORDS.slice(0, nth + 1));

// As `products_like`, which takes up to three patterns and compares each product with three in any case: for one word these take half
// the time. That one stays for the version before.
const functionOf = (words: string[]): string => `
  create function products_with(${words.map((word) => `${word} text, `).join('')}most integer)
    returns table (tenant_id uuid, id text, name text, brand text, category text, price_key text, in_stock boolean,
      created_at timestamptz)
    language sql stable security definer set search_path = public, pg_temp rows 1000
    set enable_seqscan = off set enable_indexscan = off set enable_indexonlyscan = off as $$
      select p.tenant_id, p.id, p.name, p.brand, p.category, p.price_key, p.in_stock, p.created_at from products p
      where p.tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid
        ${words.map((word) => `and ${SEARCHED} ilike ${word}`).join(' ')}
      limit most
    $$`;

/** The search of products looks for as many words as there are. */
export class SearchEachWordOnce1790004730000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const words of ALL) await q.query(functionOf(words));
  }

  async down(q: QueryRunner): Promise<void> {
    for (const words of ALL) await q.query(`drop function products_with(${words.map(() => 'text, ').join('')}integer)`);
  }
}
