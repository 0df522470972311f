import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Client } from 'pg';
import { readDemoShop, seedShop } from '../../src/modules/demo/demo-shop';
import { seedDemo } from '../../src/modules/demo/seed-demo';
import { CUSTOMERS } from '../../src/modules/imports/customer-rows';
import { checkedRow } from '../../src/modules/imports/import-kind';
import { PRODUCTS } from '../../src/modules/imports/product-rows';
import { SystemDatabase } from '../../src/platform/database/system-database';
import { TenantDatabase } from '../../src/platform/database/tenant-database';
import { createTestApp } from '../support/app';
import { workerDatabase } from '../support/database';

interface Row {
  id: string;
  [field: string]: unknown;
}

const dataOf = async (name: string) =>
  JSON.parse(await readFile(path.join(__dirname, `../../data/${name}.json`), 'utf8')) as Row[];

let app: NestFastifyApplication;
let owner: Client;
let tenantId: string;

const seed = async (): Promise<void> => {
  const db = app.get(TenantDatabase);
  const options = { password: 'only for tests', rounds: 4, plan: 'starter' } as const;
  ({ id: tenantId } = await seedDemo(db, app.get(SystemDatabase), options));
  await seedShop(db, tenantId, await readDemoShop());
};

/** How many rows of each kind are on record as made. */
const recorded = async () => {
  const { rows } = await owner.query<{ action: string; made: number; things: number }>(
    `select action, count(*)::int as made, count(distinct resource)::int as things from audit_logs
      where tenant_id = $1 and action in ('PRODUCT_CREATED', 'CUSTOMER_CREATED', 'ORDER_CREATED') group by 1`,
    [tenantId],
  );
  return Object.fromEntries(rows.map(({ action, made, things }) => [action, [made, things]]));
};
const ALL_RECORDED = { PRODUCT_CREATED: [26, 26], CUSTOMER_CREATED: [12, 12], ORDER_CREATED: [30, 30] };

const content = async (): Promise<Row[][]> => {
  const tables = ['products', 'customers', 'orders', 'order_items'];
  const rows = [];
  for (const table of tables)
    rows.push(
      (await owner.query<Row>(`select t.* from ${table} t where tenant_id = $1 order by t::text`, [tenantId])).rows,
    );
  return rows;
};

beforeAll(async () => {
  app = await createTestApp();
  owner = await (await workerDatabase()).owner();
});

afterAll(async () => {
  await app.close();
  await owner.end();
});

describe('the demo shop', () => {
  it('holds what the API would take: watches, people who do not exist, and what they ordered', async () => {
    const [products, customers, orders] = [await dataOf('products'), await dataOf('customers'), await dataOf('orders')];
    for (const [kind, rows] of [
      [PRODUCTS, products],
      [CUSTOMERS, customers],
    ] as const)
      for (const row of rows) expect(checkedRow(kind, row)).toHaveProperty('fields');
    expect([products.length, customers.length, orders.length]).toEqual([26, 12, 30]);
    expect([products[0]?.id, customers[0]?.id, orders[0]?.id]).toEqual(['prod_001', 'cust_001', 'ord_001']);
    expect(new Set(products.map(({ brand }) => brand))).toContain('Rolex');
    expect(new Set(products.map(({ category }) => category))).toContain('sport');
    expect(new Set(customers.map(({ tier }) => tier))).toContain('platinum');
    for (const { email, phone } of customers) {
      expect(email).toMatch(/@example\.com$/);
      expect(phone).toMatch(/^\+442079460\d{3}$/); // Ofcom gives these to nobody
    }
  });

  it('comes into the tenant whole, also where two seed at once, with customers of every VIP tier', async () => {
    await Promise.all([seed(), seed()]);
    expect((await content()).map((rows) => rows.length)).toEqual([26, 12, 30, 32]);
    expect(await recorded()).toEqual(ALL_RECORDED);
    const totals = await owner.query<{ wrong: number }>(
      `select count(*)::int as wrong from orders o where tenant_id = $1 and total <> (select sum(quantity * unit_price)
        from order_items i where i.tenant_id = o.tenant_id and i.order_id = o.id)`,
      [tenantId],
    );
    expect(totals.rows[0]?.wrong).toBe(0);
    const tiers = await owner.query<{ tier: string }>(
      `select distinct case when spent > 10000 then 'gold' when spent > 5000 then 'silver' else 'bronze' end as tier
        from (select sum(total) as spent from orders where tenant_id = $1 and status <> 'cancelled' group by customer_id) s
        order by 1`,
      [tenantId],
    );
    expect(tiers.rows.map(({ tier }) => tier)).toEqual(['bronze', 'gold', 'silver']);
  });

  it('changes nothing when it comes again, and leaves alone what people changed', async () => {
    await owner.query(`update products set price = 1, stock = 0 where tenant_id = $1 and id = 'prod_001'`, [tenantId]);
    await owner.query(`update customers set name = 'Somebody' where tenant_id = $1 and id = 'cust_001'`, [tenantId]);
    await owner.query(`update orders set status = 'cancelled' where tenant_id = $1 and id = 'ord_001'`, [tenantId]);
    const before = await content();
    await seed();
    expect(await content()).toEqual(before);
    expect(await recorded()).toEqual(ALL_RECORDED);
  });
});
