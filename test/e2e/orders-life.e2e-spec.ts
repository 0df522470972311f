import type { HttpAnswer } from '../support/http-client';
import { placeOrder, setStatus, Shop, type WireOrder } from '../support/orders';
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

describe('GET /orders', () => {
  it('lists newest first, in pages by cursor and offset, narrowed by status, customer and time', async () => {
    const reader = await app.login('MANAGER', await app.make.tenant());
    const theirs = new Shop(app.owner, reader.tenantId);
    const product = await theirs.product({ stock: 100 });
    const [ada, bob] = [await theirs.customer(), await theirs.customer()];
    const ids: string[] = [];
    for (let nth = 0; nth < 5; nth += 1) {
      const items = [{ product_id: product, quantity: nth + 1 }];
      // Ids that do not grow with time: the list goes by time.
      const id = `ord_${9 - nth}`;
      ids.unshift((await placeOrder(reader.http, { id, customer_id: nth % 2 ? bob : ada, items })).id);
    }
    // Two of one moment.
    await app.owner.query(
      `update orders set created_at = (select created_at from orders where tenant_id = $1 and id = $2)
        where tenant_id = $1 and id = $3`,
      [reader.tenantId, ids[1], ids[2]],
    );
    const sorted = [ids[0], ...[ids[1], ids[2]].sort().reverse(), ids[3], ids[4]];
    expect((await setStatus(reader.http, ids[3] ?? '', 'completed')).status).toBe(200);
    const listed = async (query: string) =>
      (await reader.http.get<WireOrder[]>(`/orders?${query}`)).body.map(({ id }) => id);

    const whole = await reader.http.get<WireOrder[]>('/orders?count=true');
    expect(whole.body.map(({ id }) => id)).toEqual(sorted);
    expect([whole.headers.get('x-total-count'), whole.headers.get('link')]).toEqual(['5', null]);
    for (const order of whole.body)
      expect((await reader.http.get<WireOrder>(`/orders/${order.id}`)).body).toEqual(order);
    const pages: string[][] = [];
    for (let next: string | null = '/orders?limit=2'; next !== null;) {
      const page: HttpAnswer<WireOrder[]> = await reader.http.get<WireOrder[]>(next);
      pages.push(page.body.map(({ id }) => id));
      next = /<(.+)>/.exec(page.headers.get('link') ?? '')?.[1] ?? null;
    }
    expect(pages.flat()).toEqual(sorted);
    expect(await listed(`limit=2&cursor=${sorted[1]}`)).toEqual(sorted.slice(2, 4));
    expect(await listed('limit=2&offset=1')).toEqual(sorted.slice(1, 3));
    expect(await listed('cursor=ord_none')).toEqual([]);
    expect(await listed('status=completed')).toEqual([ids[3]]);
    expect(await listed(`status=pending&customer_id=${ada}`)).toEqual(
      sorted.filter((id) => id === 'ord_9' || id === 'ord_7' || id === 'ord_5'),
    );
    expect(await listed(`customer_id=${bob}&status=cancelled`)).toEqual([]);
    const { created_at } = (await reader.http.get<WireOrder>(`/orders/${ids[0]}`)).body;
    const [moment, after] = [created_at, new Date(Date.parse(created_at) + 1).toISOString()];
    expect(await listed(`from=${moment}`)).toContain(ids[0]);
    expect(await listed(`from=${after}`)).toEqual([]);
    expect(await listed(`to=${after}`)).toEqual(sorted);
    const earlier = await listed(`to=${moment}`);
    expect(earlier).not.toContain(ids[0]);
    // Whichever of the two bounds is the narrower one.
    expect(await listed(`to=${moment}&cursor=${ids[0]}`)).toEqual(earlier);
    expect(await listed(`to=${after}&cursor=${sorted[1]}`)).toEqual(sorted.slice(2));
  });

  it.each([
    'status=open',
    'customer_id=a%20b',
    'from=yesterday',
    'to=1',
    'cursor=%20',
    'limit=101',
    'x=1',
    'offset=1&cursor=ord_1',
  ])('refuses %s', async (query) => {
    expect((await manager.http.get(`/orders?${query}`)).outcome).toBe('400 VALIDATION_FAILED');
  });

  it('of an id: 404 for one of nobody, 400 for one that cannot be', async () => {
    expect((await manager.http.get('/orders/ord_none')).outcome).toBe('404 NOT_FOUND');
    expect((await manager.http.get('/orders/a%20b')).outcome).toBe('400 VALIDATION_FAILED');
  });
});

describe('PATCH /orders/:id', () => {
  const placed = async (product: string, quantity = 4) =>
    (await placeOrder(agent.http, { customer_id: customer, items: [{ product_id: product, quantity }] })).id;

  it('completes a pending order, once', async () => {
    const product = await shop.product();
    const id = await placed(product);
    const etag = (await manager.http.get(`/orders/${id}`)).headers.get('etag');
    const done = await setStatus(manager.http, id, 'completed');
    expect([done.status, done.body.status]).toEqual([200, 'completed']);
    const shown = await manager.http.get<WireOrder>(`/orders/${id}`);
    expect([shown.body, shown.headers.get('etag')]).toEqual([done.body, done.headers.get('etag')]);
    expect(shown.headers.get('etag')).not.toBe(etag);
    for (const status of ['completed', 'cancelled', 'pending'])
      expect((await setStatus(manager.http, id, status)).outcome).toBe('409 INVALID_TRANSITION');
    expect(await shop.stockOf(product)).toBe(6);
    expect((await recordsOf(id)).map(({ action, metadata }) => [action, metadata]).slice(1)).toEqual([
      ['ORDER_UPDATED', { from: 'pending', to: 'completed' }],
    ]);
  });

  it('cancels a pending order and gives its pieces back, to products that are there still', async () => {
    const [kept, dropped] = [await shop.product(), await shop.product()];
    const items = [kept, dropped].map((product_id) => ({ product_id, quantity: 4 }));
    const { id } = await placeOrder(agent.http, { customer_id: customer, items });
    await app.owner.query(`delete from products where id = $1`, [dropped]);
    const cancelled = await setStatus(manager.http, id, 'cancelled');
    expect([cancelled.status, cancelled.body.status, cancelled.body.items.length]).toEqual([200, 'cancelled', 2]);
    for (const status of ['cancelled', 'completed', 'pending'])
      expect((await setStatus(manager.http, id, status)).outcome).toBe('409 INVALID_TRANSITION');
    expect([await shop.stockOf(kept), await shop.stockOf(dropped)]).toEqual([10, undefined]);
  });

  it('does not leave a pending order pending', async () => {
    const id = await placed(await shop.product());
    expect((await setStatus(manager.http, id, 'pending')).outcome).toBe('409 INVALID_TRANSITION');
  });

  it('gives back no more than a stock can be', async () => {
    const product = await shop.product();
    const id = await placed(product);
    await app.owner.query(`update products set stock = 999999999 where id = $1`, [product]);
    expect((await setStatus(manager.http, id, 'cancelled')).status).toBe(200);
    expect(await shop.stockOf(product)).toBe(1_000_000_000);
  });

  it('is of the order as it was read, or not at all', async () => {
    const id = await placed(await shop.product());
    expect((await setStatus(manager.http, id, 'completed', { 'if-match': '"7"' })).outcome).toBe(
      '412 PRECONDITION_FAILED',
    );
    const etag = (await manager.http.get(`/orders/${id}`)).headers.get('etag') ?? '';
    const both = await Promise.all(
      ['completed', 'cancelled'].map((status) => setStatus(manager.http, id, status, { 'if-match': etag })),
    );
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(['200', '412 PRECONDITION_FAILED']);
  });

  it('of a request that is repeated after its process died cancels once, and is answered as the first time', async () => {
    const product = await shop.product();
    const id = await placed(product);
    const etag = (await manager.http.get(`/orders/${id}`)).headers.get('etag') ?? '';
    const headers = { 'idempotency-key': 'cancelled-by-a-dead-process', 'if-match': etag };
    const first = await setStatus(manager.http, id, 'cancelled', headers);
    await asIfItsProcessDied(headers['idempotency-key']);
    const again = await setStatus(manager.http, id, 'cancelled', headers);
    expect([again.status, again.body, again.headers.get('etag')]).toEqual([200, first.body, first.headers.get('etag')]);
    expect([await shop.stockOf(product), (await recordsOf(id)).length]).toEqual([10, 2]);
  });

  it.each([{}, { status: 'open' }, { status: null }, { status: 'completed', total: 1 }])('refuses %j', async (body) => {
    const id = await placed(await shop.product());
    expect((await manager.http.call('PATCH', `/orders/${id}`, body)).outcome).toBe('400 VALIDATION_FAILED');
  });

  it('is nothing for an AGENT, and 404 for an order of nobody', async () => {
    const id = await placed(await shop.product());
    expect((await setStatus(agent.http, id, 'cancelled')).outcome).toBe('403 FORBIDDEN');
    expect((await setStatus(manager.http, 'ord_none', 'cancelled')).outcome).toBe('404 NOT_FOUND');
  });
});
