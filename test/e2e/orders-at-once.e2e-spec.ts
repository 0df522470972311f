import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Client } from 'pg';
import { freePort } from '../../src/embedded/postgres-server';
import { isRollback } from '../../src/platform/database/database-error';
import { TenantDatabase } from '../../src/platform/database/tenant-database';
import { Readiness } from '../../src/platform/http/readiness';
import { shutDown } from '../../src/platform/http/shutdown';
import { createTestApp } from '../support/app';
import { blocksSomebody } from '../support/blocked';
import type { HttpClient } from '../support/http-client';
import { placeOrder, setStatus, Shop, type WireOrder } from '../support/orders';
import { startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';

let app: TestApp;
let second: NestFastifyApplication;
/** The same manager at both processes. */
let at: [HttpClient, HttpClient];
let shop: Shop;
let customer: string;
/** Who stands in the way. */
let blocker: Client;

beforeAll(async () => {
  app = await startTestApp();
  const port = await freePort();
  second = await createTestApp({
    DATABASE_URL: app.db.ownerUrl,
    WAHA_BASE_URL: app.simulator.baseUrl,
    RATE_LIMIT_PER_MINUTE: '100000',
    ROLE: 'api',
  });
  await second.listen(port, '127.0.0.1');
  second.get(Readiness).ready();
  const { http } = await app.login('MANAGER');
  at = [http, http.at(`http://127.0.0.1:${port}`)];
  shop = new Shop(app.owner, app.tenantId);
  customer = await shop.customer();
  blocker = await app.db.owner();
});

afterAll(async () => {
  await blocker.end();
  await shutDown(second, 20_000);
  await app.close();
});

/** Each at the other process than the one before. */
const process = (nth: number): HttpClient => at[nth % 2] ?? at[0];
const outcomes = (answers: readonly { outcome: string }[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { outcome } of answers) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
};
const order = (http: HttpClient, products: string[], headers?: Record<string, string>) => {
  const items = products.map((product_id) => ({ product_id, quantity: 1 }));
  return http.post<WireOrder>('/orders', { customer_id: customer, items }, { headers });
};
const recordsOf = async (action: string, id: string): Promise<number> => {
  const { rowCount } = await app.owner.query(`select from audit_logs where action = $1 and resource = $2`, [
    action,
    `order:${id}`,
  ]);
  return rowCount ?? 0;
};

describe('orders of two processes at once', () => {
  it('of 100 buyers the last 10 pieces go to exactly 10', async () => {
    const product = await shop.product({ stock: 10 });
    const before = await shop.orders();
    const answers = await Promise.all(Array.from({ length: 100 }, (_, nth) => order(process(nth), [product])));
    expect(outcomes(answers)).toEqual({ '201': 10, '409 INSUFFICIENT_STOCK': 90 });
    expect([await shop.stockOf(product), (await shop.orders()) - before]).toEqual([0, 10]);
  });

  it('never take one product and wait for another that comes before it: products are held by their ids', async () => {
    const [first, last] = [await shop.product({ id: 'prod_a' }), await shop.product({ id: 'prod_b' })];
    await blocker.query('begin');
    await blocker.query(`select from products where id = $1 for update`, [first]);
    const answer = order(at[0], [last, first]);
    await blocksSomebody(blocker, 'the order waits for the product');
    // The other is free still: whoever has the first one gets it.
    await expect(blocker.query(`select from products where id = $1 for update nowait`, [last])).resolves.toBeDefined();
    await blocker.query('rollback');
    expect((await answer).status).toBe(201);
  });

  it('of the same products, named in opposite orders, are all placed without a deadlock', async () => {
    const products = [await shop.product({ stock: 1_000 }), await shop.product({ stock: 1_000 })];
    const rolledBack = watched();
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, nth) => order(process(nth), nth % 4 < 2 ? products : products.toReversed())),
    );
    const cancelled = await Promise.all(
      answers
        .slice(0, 30)
        .flatMap(({ body }, nth) => [
          setStatus(process(nth), body.id, 'cancelled'),
          order(process(nth), products.toReversed()),
        ]),
    );
    expect([outcomes(answers), outcomes(cancelled)]).toEqual([{ '201': 60 }, { '200': 30, '201': 30 }]);
    expect([await shop.stockOf(products[0] ?? ''), await shop.stockOf(products[1] ?? '')]).toEqual([940, 940]);
    expect(await rolledBack()).toBe(0);
  });

  it('are cancelled once, however many cancel at once', async () => {
    const product = await shop.product({ stock: 100 });
    const ids: string[] = [];
    for (let nth = 0; nth < 8; nth += 1) {
      const items = [{ product_id: product, quantity: 5 }];
      ids.push((await placeOrder(process(nth), { customer_id: customer, items })).id);
    }
    const answers = await Promise.all(
      ids.flatMap((id) => [0, 1, 2, 3].map((nth) => setStatus(process(nth), id, 'cancelled'))),
    );
    expect(outcomes(answers)).toEqual({ '200': 8, '409 INVALID_TRANSITION': 24 });
    expect(await shop.stockOf(product)).toBe(100);
    for (const id of ids) expect(await recordsOf('ORDER_UPDATED', id)).toBe(1);
  });

  it('are completed or cancelled, not both', async () => {
    const product = await shop.product({ stock: 100 });
    const made = await Promise.all(Array.from({ length: 8 }, (_, nth) => order(process(nth), [product])));
    const ends = await Promise.all(
      made.map(({ body: { id } }) =>
        Promise.all(['completed', 'cancelled'].map((status, nth) => setStatus(process(nth), id, status))),
      ),
    );
    for (const both of ends) expect(outcomes(both)).toEqual({ '200': 1, '409 INVALID_TRANSITION': 1 });
    const completed = ends.filter(([first]) => first?.status === 200).length;
    expect(await shop.stockOf(product)).toBe(100 - completed);
  });

  it('of one request that two processes run, since the first was taken for dead, are one order', async () => {
    const product = await shop.product({ stock: 1 });
    const headers = { 'idempotency-key': 'run-by-two' };
    await blocker.query('begin');
    await blocker.query(`select from products where id = $1 for update`, [product]);
    const first = order(at[0], [product], headers);
    await blocksSomebody(blocker, 'the first run waits');
    await app.owner.query(`update idempotency_keys set lease_until = now() - interval '1 s' where key = 'run-by-two'`);
    const again = order(at[1], [product], headers);
    await eventually(async () => (await waiting()) >= 2, { what: 'the second run to wait too' });
    await blocker.query('commit');
    const [one, two] = await Promise.all([first, again]);
    expect([one.status, two.status, two.body]).toEqual([201, 201, one.body]);
    expect([await shop.stockOf(product), await recordsOf('ORDER_CREATED', one.body.id)]).toEqual([0, 1]);
  });

  it('of a customer who is anonymised or deleted at that moment are refused', async () => {
    const product = await shop.product();
    for (const change of [`update customers set anonymised_at = now(), name = null`, `delete from customers`]) {
      const leaving = await shop.customer();
      await blocker.query('begin');
      await blocker.query(`${change} where id = $1`, [leaving]);
      const body = { customer_id: leaving, items: [{ product_id: product, quantity: 1 }] };
      const answer = at[0].post('/orders', body);
      await blocksSomebody(blocker, 'the order waits for the customer');
      await blocker.query('commit');
      expect((await answer).outcome).toBe('400 VALIDATION_FAILED');
    }
    expect(await shop.stockOf(product)).toBe(10);
  });

  it('are placed again where the database broke a deadlock of somebody who holds products in another order', async () => {
    const [first, last] = [await shop.product({ id: 'prod_x' }), await shop.product({ id: 'prod_y' })];
    await blocker.query(`set deadlock_timeout = '1min'`); // the order is the one that gives way
    await blocker.query('begin');
    await blocker.query(`select from products where id = $1 for update`, [last]);
    const rolledBack = watched();
    const answer = order(at[0], [first, last]);
    await blocksSomebody(blocker, 'the order waits for the last product');
    await blocker.query(`select from products where id = $1 for update`, [first]);
    await blocker.query('commit');
    expect((await answer).status).toBe(201);
    expect([await shop.stockOf(first), await shop.stockOf(last), await rolledBack()]).toEqual([9, 9, 1]);
  });
});

/** How many connections wait for a lock. */
async function waiting(): Promise<number> {
  const { rowCount } = await app.owner.query(
    `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return rowCount ?? 0;
}

/** Watches the transactions of both processes; tells how many of them the database rolled back for others. */
function watched(): () => Promise<number> {
  const spies = [app.app, second].map((each) => jest.spyOn(each.get(TenantDatabase), 'transaction'));
  return async () => {
    const ends = await Promise.allSettled(
      spies.flatMap(({ mock }) => mock.results.map(({ value }) => value as unknown)),
    );
    for (const spy of spies) spy.mockRestore();
    expect(ends.length).toBeGreaterThan(0);
    return ends.filter((end) => end.status === 'rejected' && isRollback(end.reason)).length;
  };
}
