import type { Client } from 'pg';
import { newId } from '../../src/common/ids';
import { keysetCursor } from '../../src/common/keyset';
import { ProductSearchRepository } from '../../src/modules/products/product-search.repository';
import { orderOf, type ProductFilter } from '../../src/modules/products/products.list';
import { LOOKED_THROUGH, PORTIONS } from '../../src/modules/products/products.search';
import { freshDatabase, type TestDatabase } from '../support/database';
import { PlanReader } from './plans';

/** `PRODUCTS=1000000` looks at more of them. */
const PRODUCTS = Number(process.env.PRODUCTS ?? 80_000);
const LIMIT = 20;
/** What a page reads at most: the first portion twice, all of them, and itself. */
const MOST = PORTIONS[0] + LOOKED_THROUGH + 2 * LIMIT;

let db: TestDatabase;
let owner: Client;
let reader: PlanReader;
let search: ProductSearchRepository;
let tenantId: string;

beforeAll(async () => {
  db = await freshDatabase();
  owner = await db.owner();
  reader = await PlanReader.open(db);
  search = new ProductSearchRepository(reader.door);
  tenantId = newId();
  await owner.query(`insert into tenants (id, slug, name) values ($1::uuid, $1::text, 'Search')`, [tenantId]);
  // Each fifth is a tourbillon, and dearer than all that are none; these are the newest, too. 30 of the oldest have a
  // needle, and something that no index tells of.
  await owner.query(
    `insert into products (tenant_id, id, name, brand, category, price, created_at)
      select $1::uuid, 'p' || lpad(n::text, 7, '0'),
        case when n > $2::int * 4 / 5 then 'Tourbillon ' else 'Quartz ' end || n || case when n <= 30 then ' needle -' else '' end,
        (array['Rolex', 'Omega', 'Cartier', 'Seiko'])[1 + n % 4], (array['sport', 'dress'])[1 + n / 4 % 2], n / 10.0,
        timestamptz '2026-01-01Z' + n * interval '1 s'
      from generate_series(1, $2::int) n`,
    [tenantId, PRODUCTS],
  );
  await owner.query('vacuum analyze products');
}, 600_000);

afterAll(async () => {
  await reader.close();
  await owner.end();
  await db.drop();
});

interface FoundPage {
  ids: number[];
  /** Of the next page. */
  cursor: string | undefined;
  read: number;
}

async function pageOf(filter: ProductFilter, page: { cursor?: string; offset?: number } = {}): Promise<FoundPage> {
  reader.look();
  const { rows, end } = await search.list(tenantId, filter, { limit: LIMIT, ...page });
  const shown = rows.slice(0, LIMIT);
  const last = shown.at(-1);
  const place = end ?? (rows.length > LIMIT && last ? { value: last.sort_value, id: last.id } : undefined);
  return {
    ids: shown.map(({ id }) => Number(id.slice(1))),
    cursor: place && keysetCursor(orderOf(filter), place),
    read: reader.rowsOf('products'),
  };
}

const FIRST = PRODUCTS * 0.8 + 1;
const upFrom = (first: number, step = 1): number[] => Array.from({ length: LIMIT }, (_, nth) => first + nth * step);

describe('a search of products', () => {
  it('for what the order begins with reads a page', async () => {
    const page = await pageOf({ q: 'quartz', sort: 'price' });
    expect(page.ids).toEqual(upFrom(1));
    expect(page.read).toBeLessThanOrEqual(LIMIT + 1);
    expect((await pageOf({ q: 'quartz', sort: 'price' }, { cursor: page.cursor })).ids).toEqual(upFrom(1 + LIMIT));
  });

  it('for what is rare finds all of it, however far down the order it is', async () => {
    const page = await pageOf({ q: 'needle' });
    expect(page.ids).toEqual(upFrom(30, -1));
    expect(page.read).toBeLessThanOrEqual(2 * PORTIONS[0] + 2 * LIMIT);
    const next = await pageOf({ q: 'needle' }, { cursor: page.cursor });
    expect([next.ids, next.cursor]).toEqual([upFrom(30 - LIMIT, -1).filter((n) => n > 0), undefined]);
    expect((await pageOf({ q: 'needle' }, { offset: 25 })).ids).toEqual([5, 4, 3, 2, 1]);
  });

  it('for words that are common, and nothing that has both, knows that from the index', async () => {
    const page = await pageOf({ q: 'quartz tourbillon' });
    expect([page.ids, page.cursor]).toEqual([[], undefined]);
    expect(page.read).toBeLessThanOrEqual(2 * PORTIONS[0]);
  });

  it('for what is common and last in the order finds it by the index, and goes on from there', async () => {
    const page = await pageOf({ q: 'tourbillon', sort: 'price' });
    expect(page.ids).toEqual(upFrom(FIRST));
    expect(page.read).toBeLessThanOrEqual(2 * PORTIONS[0] + 2 * LIMIT);
    const next = await pageOf({ q: 'tourbillon', sort: 'price' }, { cursor: page.cursor });
    expect(next.ids).toEqual(upFrom(FIRST + LIMIT));
    expect(next.read).toBeLessThanOrEqual(LIMIT + 1);
  });

  it('skips a bounded number of what is common, without the index', async () => {
    const page = await pageOf({ q: 'quartz', sort: 'created_at' }, { offset: 5_000 });
    expect(page.ids).toEqual(upFrom(5_001));
    expect(page.read).toBeLessThanOrEqual(2 * PORTIONS[0] + PORTIONS[1] + 2 * LIMIT);
  });

  it.each([undefined, 5])(
    'looks on the way for what no index tells of, and goes on there, after %p',
    async (offset) => {
      const found: number[][] = [];
      for (
        let page = await pageOf({ q: '-' }, { offset });
        ;
        page = await pageOf({ q: '-' }, { cursor: page.cursor })
      ) {
        expect(page.read).toBeLessThanOrEqual(MOST);
        found.push(page.ids);
        if (page.cursor === undefined) break;
      }
      expect(found.flat()).toEqual(Array.from({ length: 30 - (offset ?? 0) }, (_, nth) => 30 - (offset ?? 0) - nth));
      expect(found.filter(({ length }) => length === 0)).toHaveLength(Math.floor(PRODUCTS / LOOKED_THROUGH));
    },
  );
});

describe('the count of a search', () => {
  const count = async (filter: ProductFilter) => {
    reader.look();
    const counted = await search.count(tenantId, filter, 10_001);
    expect(reader.rowsOf('products')).toBeLessThanOrEqual(MOST);
    return counted;
  };

  it('is exact of what is rare, ends at the cap of what is common, and says where it did not come to an end', async () => {
    expect(await count({ q: 'needle' })).toEqual({ count: 30, all: true });
    expect(await count({ q: 'needle', brand: 'Rolex' })).toEqual({ count: 7, all: true });
    expect(await count({ q: 'tourbillon' })).toEqual({ count: 10_001, all: true });
    expect(await count({ q: '-' })).toEqual({ count: 0, all: false });
    expect(await count({ q: 'quartz tourbillon' })).toEqual({ count: 0, all: true });
    expect(await count({ q: 'quartz', maxPrice: '100' })).toEqual({ count: 1_000, all: true });
    const lower = await count({ q: 'tourbillon omega', category: 'sport' });
    expect([lower.all, lower.count <= PRODUCTS / 40]).toEqual([PRODUCTS * 0.2 * 0.25 < 10_001, true]);
  });

  it('is made on the way where that comes to the cap, and by the index once it does not look like it', async () => {
    await count({ q: 'tourbillon' });
    expect(reader.rowsOf('products')).toBe(PORTIONS[0] + PORTIONS[1] + PORTIONS[2]);
    await count({ q: 'needle' });
    expect(reader.rowsOf('products')).toBe(PORTIONS[0]);
  });
});

describe('the functions of the search', () => {
  it('find no more than they are asked for, of those that have each of the patterns', async () => {
    const found = async (patterns: string[], most: number) => {
      const [row] = await reader.query<{ found: number }>(
        tenantId,
        `select count(*)::int as found from products_with(${patterns.map((_, nth) => `$${nth + 2}::text, `).join('')}$1::int)`,
        [most, ...patterns],
      );
      return row?.found;
    };
    expect(await found(['%quartz%'], 7)).toBe(7);
    expect(await found(['%needle%'], 100)).toBe(30);
    expect(await found(['%needle%', '%rolex%'], 100)).toBe(7);
    expect(await found(['%needle%', '%rolex%', '%dress%'], 100)).toBeLessThan(7);
    expect(await found(['%needle%', '%tourbillon%'], 100)).toBe(0);
  });
});
