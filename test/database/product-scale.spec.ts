import type { Client } from 'pg';
import { keysetCursor } from '../../src/common/keyset';
import { newId } from '../../src/common/ids';
import { MAX_LIMIT } from '../../src/common/paging';
import {
  isPlannedOnce,
  pageStatement,
  PRODUCT_SORTS,
  type ProductFilter,
  type Statement,
  wayOf,
} from '../../src/modules/products/products.list';
import { ProductsRepository } from '../../src/modules/products/products.repository';
import { nearStatement, soughtStatement } from '../../src/modules/products/products.search';
import { freshDatabase, type TestDatabase } from '../support/database';
import { type Doors, openDoors } from './database.harness';
import { PlanReader } from './plans';

/** `PRODUCTS=1000000` looks at more of them. */
const PRODUCTS = Number(process.env.PRODUCTS ?? 40_000);
const FEW = 1_000;
const LIMIT = 20;
/** Pages of the database that may be read for one page of a list: a row each, and the way down an index and the table's. */
const PAGES = 3 * (LIMIT + 1) + 40;

let db: TestDatabase;
let owner: Client;
let doors: Doors;
let reader: PlanReader;
let large: string;
let small: string;

// No category, brand or stock has to do with name, price or age; one category has a thousandth of the products.
async function addProducts(tenantId: string, count: number): Promise<void> {
  await owner.query(`insert into tenants (id, slug, name) values ($1::uuid, $1::text, 'Scale')`, [tenantId]);
  await owner.query(
    `insert into products (tenant_id, id, name, brand, category, price, stock, created_at)
      select $1::uuid, 'prod_' || n, (array['Daytona', 'Tank', 'Nautilus'])[1 + n % 3] || ' ' || md5(n::text),
        (array['Rolex', 'Omega', 'Cartier', 'Seiko'])[1 + n / 7 % 4],
        case when n % 1000 = 5 then 'rare' else (array['sport', 'dress'])[1 + n / 11 % 2] end,
        (n::bigint * 7919 % 100000) / 10.0, case when n % 500 = 1 then 0 else n % 90 + 1 end, now() - n * interval '1 s'
      from generate_series(1, $2::int) n`,
    [tenantId, count],
  );
}

beforeAll(async () => {
  db = await freshDatabase();
  owner = await db.owner();
  doors = await openDoors(db, 2);
  reader = await PlanReader.open(db);
  [large, small] = [newId(), newId()];
  await addProducts(large, PRODUCTS);
  await addProducts(small, FEW);
  await owner.query('vacuum analyze products');
}, 600_000);

afterAll(async () => {
  await reader.close();
  await doors.close();
  await owner.end();
  await db.drop();
});

/** Pages that were read for the statement, as the role of one tenant, and the rows that it gave. */
async function costOf(tenantId: string, { text, params }: Statement) {
  reader.look();
  const rows = await reader.query(tenantId, text, params);
  return { pages: reader.pages, rows: rows.length };
}

const plansOf = (filter: ProductFilter): boolean[] =>
  isPlannedOnce(filter, { limit: LIMIT }) ? [false, true] : [false];

/** Half way down the list, in each order. */
const MIDDLE = { newest: '2000-01-01 00:00:00+00', created_at: '2000-01-01 00:00:00+00', name: 'Nautilus' };
const middleOf = (sort: ProductFilter['sort']) => {
  const value = sort === 'price' || sort === '-price' ? '0000000000000050000' : MIDDLE[sort ?? 'newest'];
  return keysetCursor(sort ?? 'newest', { value, id: 'prod_5' });
};

describe(`a page of products costs the same of ${FEW} as of ${PRODUCTS}`, () => {
  const filters: ProductFilter[] = [
    ...[{}, { category: 'sport' }, { category: 'rare' }, { category: 'nothing' }, { brand: 'Rolex' }],
    ...[
      { inStock: true },
      { inStock: false },
      { category: 'sport', inStock: true },
      { minPrice: '0', maxPrice: '9999' },
    ],
  ];

  it.each(filters)('%j, in each order, at its beginning and after a cursor', async (filter) => {
    for (const sort of [undefined, ...PRODUCT_SORTS])
      for (const page of [{}, { cursor: middleOf(sort) }])
        for (const tenant of [large, small])
          for (const once of plansOf(filter)) {
            const cost = await costOf(
              tenant,
              pageStatement(tenant, { ...filter, sort }, { limit: LIMIT, ...page }, once),
            );
            expect([sort, page, once, cost.pages <= PAGES ? 'few' : cost.pages]).toEqual([sort, page, once, 'few']);
            if (filter.category === 'nothing') expect(cost.rows).toBe(0);
          }
  });

  it('with one filter is planned once for all values, and no longer for each', async () => {
    const filter: ProductFilter = { category: 'sport', sort: 'price' };
    for (let time = 0; time < 10; time += 1) {
      const { text, params } = pageStatement(large, filter, { limit: LIMIT + time }, true);
      expect(await doors.tenant.query(large, text, params)).toHaveLength(LIMIT + time + 1);
    }
    const [plans] = await doors.tenant.queryOnce<{ generic: number; custom: number }>(
      large,
      `select generic_plans::int as generic, custom_plans::int as custom from pg_prepared_statements where statement = $1`,
      [pageStatement(large, filter, { limit: LIMIT }, true).text],
    );
    expect(plans).toEqual({ generic: 5, custom: 5 });
  });

  it('of more than people may ask for has all of them', async () => {
    const repository = new ProductsRepository(doors.tenant);
    for (const filter of [{}, { category: 'sport' }]) {
      const rows = await repository.list(large, filter, { limit: 3 * MAX_LIMIT });
      expect(rows).toHaveLength(3 * MAX_LIMIT + 1);
    }
  });

  it('of a search for what few have, found by the index', async () => {
    const filter = { q: 'c4ca4238a0b923820dcc509a6f75849b' };
    const cost = await costOf(large, soughtStatement(large, filter, { limit: LIMIT }));
    expect(cost.rows).toBe(1);
    expect(cost.pages).toBeLessThan(400);
  });

  it('of a search for what many have, found on the way', async () => {
    const filter: ProductFilter = { q: 'daytona', sort: 'price' };
    const cost = await costOf(large, nearStatement(wayOf(large, filter, undefined), filter, { limit: LIMIT }));
    expect(cost.rows).toBe(LIMIT + 1);
  });
});
