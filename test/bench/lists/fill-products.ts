import type { Client } from 'pg';
import { keysetCursor } from '../../../src/common/keyset';
import { addSessions } from '../queue/messages';
import { dropIndexes } from './indexes';

/** A tenant with a catalogue, and what of it is asked for. What is rare is among its oldest: there it is found last. */
export interface Catalogue {
  email: string;
  password: string;
  /** Cursors after which only a twentieth of the products is left: newest first, and by price. */
  deep: string;
  dear: string;
}

const PORTION = 50_000;

/**
 * Of five products one is another tenant's. No category, brand or stock has to do with name, price or age; but each tenth product is
 * a tourbillon, and dearer than all that are none. The first 60 hold what is rare.
 */
const FILL = `
  insert into products (tenant_id, id, name, brand, category, price, stock, created_at)
  select case when n <= 60 or n % 5 > 0 then $1::uuid else $2::uuid end, 'prod_' || n,
    (array['Daytona', 'Tank', 'Nautilus'])[1 + n % 3] || case when n % 10 = 9 then ' Tourbillon ' else ' ' end || md5(n::text)
      || case when n between 31 and 60 then ' needle' else '' end,
    (array['Rolex', 'Omega', 'Cartier', 'Seiko'])[1 + n / 7 % 4],
    case when n <= 30 then 'rare' else (array['sport', 'dress'])[1 + n / 11 % 2] end,
    (n * 7919 % 100000) / 10.0 + case when n % 10 = 9 then 20000 else 0 end,
    case when n % 500 = 1 then 0 else n % 90 + 1 end, $3::timestamptz - ($6::bigint - n) * interval '1 s'
  from generate_series($4::bigint, $5::bigint) n`;

/** Fills an empty, migrated database with so many products. */
export async function fillProducts(owner: Client, products: number): Promise<Catalogue> {
  const mine = await addSessions(owner, 0);
  const others = await addSessions(owner, 0);
  const indexes = await dropIndexes(owner, 'products');
  const now = new Date();
  for (let first = 1; first <= products; first += PORTION) {
    const range = [first, Math.min(first + PORTION - 1, products), products];
    await owner.query(FILL, [mine.tenantId, others.tenantId, now, ...range]);
  }
  for (const index of indexes) await owner.query(index);
  await owner.query('vacuum (analyze) products');
  const after = async (order: string, column: string, way: string): Promise<string> => {
    const { rows } = await owner.query<{ value: string; id: string }>(
      `select ${column}::text as value, id from products where tenant_id = $1 order by ${column} ${way}, id ${way}
        offset (select count(*) * 19 / 20 from products where tenant_id = $1) limit 1`,
      [mine.tenantId],
    );
    return keysetCursor(order, rows[0] ?? { value: '', id: '' });
  };
  const { email, password } = mine;
  return {
    ...{ email, password },
    deep: await after('newest', 'created_at', 'desc'),
    dear: await after('price', 'price_key', 'asc'),
  };
}
