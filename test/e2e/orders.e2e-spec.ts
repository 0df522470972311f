import type { ErrorBody } from '../../src/platform/http/error-body';
import { placeOrder, Shop, type WireOrder } from '../support/orders';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';

let app: TestApp;
let manager: LoggedIn;
let agent: LoggedIn;
let shop: Shop;
let customer: string;

beforeAll(async () => {
  app = await startTestApp();
  [manager, agent] = [await app.login('MANAGER'), await app.login('AGENT')];
  shop = new Shop(app.owner, app.tenantId);
  customer = await shop.customer();
});

afterAll(() => app.close());

const recordsOf = async (id: string) => {
  const { rows } = await app.owner.query<{ action: string; metadata: unknown }>(
    `select action, metadata from audit_logs where resource = $1 order by id`,
    [`order:${id}`],
  );
  return rows;
};
const asIfItsProcessDied = (key: string) =>
  app.owner.query(
    `update idempotency_keys set state = 'running', lease_until = now() - interval '1 s' where key = $1`,
    [key],
  );
const place = (body: object, headers?: Record<string, string>) =>
  agent.http.post<WireOrder & ErrorBody>('/orders', body, { headers });

describe('POST /orders', () => {
  it('takes the stock, keeps the prices of this moment, and is on record', async () => {
    const [one, two] = [await shop.product({ price: '12.5' }), await shop.product({ price: '0.1', stock: 3 })];
    const items = [
      { product_id: two, quantity: 3 },
      { product_id: one, quantity: 2 },
    ];
    const answer = await place({ customer_id: customer, items });
    expect(answer.status).toBe(201);
    const { id, created_at } = answer.body;
    expect(id).toMatch(/^ord_[0-9a-f]{32}$/);
    expect(answer.body).toEqual({
      ...{ id, customer_id: customer, status: 'pending', total: 25.3, currency: 'EUR', created_at },
      items: [
        { product_id: two, quantity: 3, unit_price: 0.1 },
        { product_id: one, quantity: 2, unit_price: 12.5 },
      ],
    });
    expect([await shop.stockOf(one), await shop.stockOf(two)]).toEqual([8, 0]);
    await app.owner.query(`update products set price = 99, name = 'Dearer' where id = $1`, [one]);
    const shown = await manager.http.get<WireOrder>(`/orders/${id}`);
    expect([shown.body, shown.headers.get('etag')]).toEqual([answer.body, answer.headers.get('etag')]);
    expect(await recordsOf(id)).toEqual([
      { action: 'ORDER_CREATED', metadata: { customer_id: customer, total: '25.3000', currency: 'EUR' } },
    ]);
  });

  it('is of the id that the caller chooses, once', async () => {
    const product = await shop.product({ stock: 5 });
    const body = { id: 'ord_001', customer_id: customer, items: [{ product_id: product, quantity: 1 }] };
    expect((await placeOrder(agent.http, body)).id).toBe('ord_001');
    expect((await place(body)).outcome).toBe('409 ORDER_ID_TAKEN');
    expect(await shop.stockOf(product)).toBe(4);
  });

  it('counts a product that is named twice as one item', async () => {
    const [one, two] = [await shop.product({ stock: 5 }), await shop.product()];
    const items = [one, two, one].map((product_id, nth) => ({ product_id, quantity: nth + 1 }));
    const { items: made, total } = await placeOrder(agent.http, { customer_id: customer, items });
    expect(made.map(({ product_id, quantity }) => [product_id, quantity])).toEqual([
      [one, 4],
      [two, 2],
    ]);
    expect([total, await shop.stockOf(one)]).toEqual([60, 1]);
    expect((await place({ customer_id: customer, items })).outcome).toBe('409 INSUFFICIENT_STOCK');
  });

  it('takes all or nothing, and says of each product that is short how many there are', async () => {
    const [none, few, many] = [
      await shop.product({ stock: 0 }),
      await shop.product({ stock: 2 }),
      await shop.product(),
    ];
    const before = await shop.orders();
    const items = [many, few, none].map((product_id) => ({ product_id, quantity: 3 }));
    const answer = await place({ customer_id: customer, items });
    expect(answer.outcome).toBe('409 INSUFFICIENT_STOCK');
    expect(answer.body.details).toEqual([
      { field: 'items.1.quantity', message: expect.stringContaining(few), product_id: few, available: 2 },
      { field: 'items.2.quantity', message: expect.stringContaining(none), product_id: none, available: 0 },
    ]);
    expect([await shop.stockOf(many), await shop.stockOf(few), await shop.orders()]).toEqual([10, 2, before]);
  });

  it('names customers and products that are none, those of another tenant and anonymised ones too', async () => {
    const product = await shop.product();
    const strangers = new Shop(app.owner, await app.make.tenant());
    const [theirs, theirCustomer] = [await strangers.product(), await strangers.customer()];
    const gone = await shop.customer();
    await app.owner.query(`update customers set anonymised_at = now(), name = null where id = $1`, [gone]);
    for (const customer_id of ['cust_none', theirCustomer, gone]) {
      const answer = await place({ customer_id, items: [{ product_id: product, quantity: 1 }] });
      expect([answer.outcome, answer.body.details?.map(({ field }) => field)]).toEqual([
        '400 VALIDATION_FAILED',
        ['customer_id'],
      ]);
    }
    const items = [theirs, product, 'prod_none'].map((product_id) => ({ product_id, quantity: 1 }));
    const answer = await place({ customer_id: customer, items });
    expect(answer.outcome).toBe('400 VALIDATION_FAILED');
    expect(answer.body.details?.map(({ field }) => field)).toEqual(['items.0.product_id', 'items.2.product_id']);
    expect([await shop.stockOf(product), await strangers.stockOf(theirs)]).toEqual([10, 10]);
  });

  it.each<[string, object, string]>([
    ['no items', { items: [] }, 'items'],
    ['items that are none', { items: 'x' }, 'items'],
    ['too many items', { items: Array(101).fill({ product_id: 'p', quantity: 1 }) }, 'items'],
    ['nothing of a product', { items: [{ product_id: 'p', quantity: 0 }] }, 'items.0.quantity'],
    ['half a piece', { items: [{ product_id: 'p', quantity: 1.5 }] }, 'items.0.quantity'],
    ['a quantity that is text', { items: [{ product_id: 'p', quantity: '1' }] }, 'items.0.quantity'],
    ['more than any stock', { items: [{ product_id: 'p', quantity: 2 ** 31 }] }, 'items.0.quantity'],
    ['a product id that is none', { items: [{ product_id: 'a b', quantity: 1 }] }, 'items.0.product_id'],
    ['an item with a price', { items: [{ product_id: 'p', quantity: 1, unit_price: 1 }] }, 'items.0.unit_price'],
    ['a customer that is a number', { customer_id: 7 }, 'customer_id'],
    ['an id that is none', { id: '../x' }, 'id'],
    ['a status', { status: 'completed' }, 'status'],
  ])('refuses %s', async (_what, fields, field) => {
    const body = { customer_id: customer, items: [{ product_id: 'p', quantity: 1 }], ...fields };
    const answer = await place(body);
    expect([answer.outcome, answer.body.details?.[0]?.field]).toEqual(['400 VALIDATION_FAILED', field]);
  });

  it('refuses what costs more than can be written down, and takes nothing', async () => {
    const dear = await shop.product({ price: '999999999999999.9999', stock: 3 });
    const order = (quantity: number) => place({ customer_id: customer, items: [{ product_id: dear, quantity }] });
    const refused = await order(2);
    expect([refused.outcome, refused.body.details?.[0]?.field]).toEqual(['400 VALIDATION_FAILED', 'items']);
    expect(await shop.stockOf(dear)).toBe(3);
    expect((await order(1)).text).toContain('"total":999999999999999.9999');
  });

  it('reckons exactly, however many orders there are', async () => {
    const tenth = await shop.product({ price: '0.1', stock: 1_000_000 });
    const odd = await shop.product({ price: '1234567.8901', stock: 1_000_000 });
    const buyer = await shop.customer();
    const quantities = Array.from({ length: 60 }, (_, nth) => (nth % 7) + 1);
    for (const quantity of quantities) {
      const items = [tenth, odd].map((product_id) => ({ product_id, quantity }));
      const { text } = await place({ customer_id: buyer, items });
      const total = 12345679901n * BigInt(quantity); // (0.1 + 1234567.8901) in ten-thousandths
      expect(text).toContain(
        `"total":${total / 10_000n}.${String(total % 10_000n)
          .padStart(4, '0')
          .replace(/0+$/, '')}`,
      );
    }
    const pieces = quantities.reduce((sum, quantity) => sum + quantity, 0);
    const { rows } = await app.owner.query<{ total: string }>(
      `select sum(total)::text as total from orders where customer_id = $1`,
      [buyer],
    );
    const all = 12345679901n * BigInt(pieces);
    expect(rows[0]?.total).toBe(`${all / 10_000n}.${String(all % 10_000n).padStart(4, '0')}`);
    expect(await shop.stockOf(odd)).toBe(1_000_000 - pieces);
  });

  it('is in the currency of the tenant', async () => {
    const admin = await app.login('TENANT_ADMIN', await app.make.tenant());
    const theirs = new Shop(app.owner, admin.tenantId);
    const body = { customer_id: await theirs.customer(), items: [{ product_id: await theirs.product(), quantity: 1 }] };
    const before = await placeOrder(admin.http, body);
    await admin.http.call('PATCH', '/tenants/current', { currency: 'JPY' });
    expect((await placeOrder(admin.http, body)).currency).toBe('JPY');
    expect((await admin.http.get<WireOrder>(`/orders/${before.id}`)).body.currency).toBe('EUR');
  });

  it.each([undefined, 'ord_chosen'])(
    'of a request that is repeated after its process died is one order (id %s)',
    async (id) => {
      const product = await shop.product({ stock: 1 });
      const key = { 'idempotency-key': `order-of-a-dead-process-${id}` };
      const body = { customer_id: customer, items: [{ product_id: product, quantity: 1 }], ...(id ? { id } : {}) };
      const first = await place(body, key);
      await asIfItsProcessDied(key['idempotency-key']);
      const again = await place(body, key);
      expect([again.status, again.body]).toEqual([201, first.body]);
      expect(again.headers.get('idempotent-replayed')).toBeNull();
      expect([await shop.stockOf(product), (await recordsOf(first.body.id)).length]).toEqual([0, 1]);
      const replayed = await place(body, key);
      expect([replayed.text, replayed.headers.get('idempotent-replayed')]).toEqual([again.text, 'true']);
    },
  );
});
