import { ProductSearchRepository } from '../../src/modules/products/product-search.repository';
import type { TenantDatabase } from '../../src/platform/database/tenant-database';
import { freshDatabase } from '../support/database';
import { Factories } from '../support/factories';
import { openDoors } from './database.harness';

const PRODUCTS = 30;
const LIMIT = 20;

describe('a page of a search', () => {
  it.each([
    ['deleted', 'delete from products where tenant_id = $1 and id = $2'],
    ['given another price', 'update products set price = 99999 where tenant_id = $1 and id = $2'],
  ])('is of one moment, though a product is %s after it was found and before it is read', async (_what, change) => {
    const db = await freshDatabase();
    const owner = await db.owner();
    const doors = await openDoors(db, 2);
    const tenantId = await new Factories(owner).tenant();
    await owner.query(
      `insert into products (tenant_id, id, name, price)
        select $1, 'p' || lpad(n::text, 2, '0'), 'Watch', n from generate_series(1, ${PRODUCTS}) n`,
      [tenantId],
    );
    let changed = 0;
    type Query = (text: string, params: unknown[]) => Promise<unknown>;
    const changing =
      (query: Query): Query =>
      async (text, params) => {
        if (text.includes('p.id = any')) changed += (await owner.query(change, [tenantId, 'p22'])).rowCount ?? 0;
        return query(text, params);
      };
    const changingFirst = {
      queryOnce: (tenant: string, text: string, params: unknown[]) =>
        changing((...asked) => doors.tenant.queryOnce(tenant, ...asked))(text, params),
      snapshot: (tenant: string, work: (tx: object) => Promise<unknown>) =>
        doors.tenant.snapshot(tenant, (tx) => work({ queryOnce: changing((...asked) => tx.queryOnce(...asked)) })),
    } as unknown as TenantDatabase;
    const filter = { q: 'watch', sort: 'price' as const };
    const { rows } = await new ProductSearchRepository(changingFirst).list(tenantId, filter, {
      limit: LIMIT,
      offset: 1,
    });
    const ids = Array.from({ length: LIMIT + 1 }, (_, n) => `p${String(n + 2).padStart(2, '0')}`);
    expect([changed, rows.map(({ id }) => id)]).toEqual([1, ids]);
    expect(rows.at(-1)).toMatchObject({ price: '22.0000' });
    await doors.close();
    await owner.end();
    await db.drop();
  });
});
