import type { ErrorBody } from '../../src/platform/http/error-body';
import { makeCustomer, makeOrder, type WireCustomer } from '../support/customers';
import type { WireOrder } from '../support/orders';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});

afterAll(() => app.close());

const business = async (): Promise<LoggedIn> => app.login('MANAGER', await app.make.tenant());

/** All pages of a list, by the Link headers. */
async function all<T>({ http }: LoggedIn, path: string): Promise<T[]> {
  const found: T[] = [];
  let next: string | undefined = path;
  while (next !== undefined) {
    const page: { body: T[]; headers: Headers } = await http.get<T[]>(next);
    found.push(...page.body);
    next = /<([^>]+)>/.exec(page.headers.get('link') ?? '')?.[1];
  }
  return found;
}

describe('GET /customers', () => {
  let owner: LoggedIn;
  const list = async (query: string) => (await owner.http.get<WireCustomer[]>(`/customers?${query}`)).body;
  const ids = async (query: string) => (await list(query)).map(({ id }) => id);

  beforeAll(async () => {
    owner = await business();
    await makeCustomer(owner.http, { id: 'ada', name: 'Ada 100%', email: 'ada@example.com', tier: 'platinum' });
    await makeCustomer(owner.http, { id: 'bob', name: 'Bob_y', phone: '+442079460001', tags: ['a', 'b'] });
    await makeCustomer(owner.http, {
      id: 'eve',
      name: 'Eve',
      email: 'eve@other.example',
      tier: 'Platinum',
      tags: ['b'],
    });
  });

  it('is newest first, and narrowed by tier, email, phone, tag and a part of what names them', async () => {
    expect(await ids('')).toEqual(['eve', 'bob', 'ada']);
    expect(await ids('tier=platinum')).toEqual(['ada']);
    expect(await ids('email=ADA@example.com')).toEqual(['ada']);
    expect(await ids('email=da@example.com')).toEqual([]);
    for (const phone of ['%2B442079460001', '+442079460001', '0044%2020%207946%200001'])
      expect(await ids(`phone=${phone}`)).toEqual(['bob']);
    expect(await ids('tag=b')).toEqual(['eve', 'bob']);
    expect(await ids('tag=a&tier=platinum')).toEqual([]);
    expect(await ids('q=EXAMPLE')).toEqual(['eve', 'ada']);
    expect(await ids('q=7946')).toEqual(['bob']);
    expect(await ids('q=0%25')).toEqual(['ada']);
    expect(await ids('q=b_y')).toEqual(['bob']);
    expect(await ids('q=%25')).toEqual(['ada']);
    expect(await ids('q=%5C')).toEqual([]);
  });

  it('answers pages with a Link that keeps the filters, and a total where it is asked for', async () => {
    const page = await owner.http.get<WireCustomer[]>('/customers?q=example&limit=1&count=true');
    expect([page.body.map(({ id }) => id), page.headers.get('x-total-count')]).toEqual([['eve'], '2']);
    expect(page.headers.get('link')).toContain('q=example');
    expect(await ids('limit=1&offset=1')).toEqual(['bob']);
    expect((await all<WireCustomer>(owner, '/customers?limit=2&offset=0')).map(({ id }) => id)).toEqual([
      'eve',
      'bob',
      'ada',
    ]);
  });

  it('finds however few by a part of name, email or phone, and nothing by the end of one and the beginning of the next', async () => {
    const [owner, other] = [await business(), await business()];
    const needle = { name: 'Nadia Needle', email: 'sewing@example.com', phone: '+442079460017' };
    for (const each of [owner, other]) await makeCustomer(each.http, { id: 'first', ...needle });
    await app.owner.query(
      `insert into customers (tenant_id, id, name) select $1, 'c' || n, 'hay ' || n from generate_series(1, 2500) n`,
      [owner.tenantId],
    );
    for (const [q, wanted] of [
      ['EEDLE', ['first']],
      ['wing@', ['first']],
      ['94600', ['first']],
      ['le', ['first']],
      ['needle sew', []],
      ['hay 2500', ['c2500']],
    ] as const) {
      const answer = await owner.http.get<WireCustomer[]>(`/customers?count=true&q=${encodeURIComponent(q)}`);
      const total = answer.headers.get('x-total-count');
      expect([q, answer.body.map(({ id }) => id), total]).toEqual([q, wanted, String(wanted.length)]);
    }
    const pages = await all<WireCustomer>(owner, '/customers?q=hay%2012&limit=100');
    expect(pages.map(({ id }) => id).sort()).toEqual(
      Array.from({ length: 2500 }, (_, n) => `c${n + 1}`)
        .filter((id) => id.startsWith('c12'))
        .sort(),
    );
    expect((await owner.http.get<WireCustomer[]>('/customers?q=hay%2012&limit=5&offset=108')).body).toHaveLength(3);
  });

  it('finds what is common too, of which it looks at no more than it needs', async () => {
    const owner = await business();
    const fill = (name: string, count: number, at: string) =>
      app.owner.query(
        `insert into customers (tenant_id, id, name, created_at)
          select $1, $2 || lpad(n::text, 5, '0'), $2 || ' ' || n, $4::timestamptz from generate_series(1, $3) n`,
        [owner.tenantId, name, count, at],
      );
    await fill('older', 10_050, '2026-01-01T00:00:00Z');
    await fill('newer', 1_200, '2026-02-01T00:00:00Z');
    await app.owner.query(
      `update customers set tier = 'gold' where tenant_id = $1 and id in ('older00007', 'newer00007')`,
      [owner.tenantId],
    );
    const listed = async (query: string): Promise<[ids: string[], total: string | null]> => {
      const answer = await owner.http.get<WireCustomer[]>(`/customers?count=true&limit=2&${query}`);
      return [answer.body.map(({ id }) => id), answer.headers.get('x-total-count')];
    };
    expect(await listed('q=OLDER')).toEqual([['older10050', 'older10049'], '10000+']);
    expect(await listed('q=older&offset=9999')).toEqual([['older00051', 'older00050'], '10000+']);
    expect(await listed('q=older&tier=gold')).toEqual([['older00007'], '1']);
    expect(await listed('q=newer')).toEqual([['newer01200', 'newer01199'], '1200']);
    expect(await listed('q=er%201005')).toEqual([['newer01005', 'older10050'], '3']);
    const { rows } = await app.owner.query<{ found: number }>(
      `select (select count(*)::int from customers_like('%older%', 7)) as found from set_config('app.tenant_id', $1, false)`,
      [owner.tenantId],
    );
    expect(rows).toEqual([{ found: 7 }]);
  });

  it('finds what holds no three letters or digits in a row, which no index tells of', async () => {
    const owner = await business();
    await makeCustomer(owner.http, { id: 'dotted', name: 'A.B.C. Ltd' });
    await app.owner.query(
      `insert into customers (tenant_id, id, name) select $1, 'c' || n, 'hay ' || n from generate_series(1, 1200) n`,
      [owner.tenantId],
    );
    for (const [q, wanted] of [
      ['a.b.c', ['dotted']],
      ['B.C. L', ['dotted']],
      ['. L', ['dotted']],
      ['a.b.d', []],
    ] as const) {
      const answer = await owner.http.get<WireCustomer[]>(`/customers?count=true&q=${encodeURIComponent(q)}`);
      const total = answer.headers.get('x-total-count');
      expect([q, answer.body.map(({ id }) => id), total]).toEqual([q, wanted, String(wanted.length)]);
    }
  });

  it('tells customers of one moment apart by their id, and goes on where the last one of a page was removed', async () => {
    const other = await business();
    await app.owner.query(
      `insert into customers (tenant_id, id, name, created_at)
        select $1, 'c' || n, 'x', timestamptz '2026-01-01 00:00:00.123456Z' + n / 4 * interval '1 microsecond'
        from generate_series(10, 29) n`,
      [other.tenantId],
    );
    const wanted = Array.from({ length: 20 }, (_, n) => `c${29 - n}`);
    const found = await all<WireCustomer>(other, '/customers?limit=3');
    expect(found.map(({ id }) => id)).toEqual(wanted);
    const first = await other.http.get<WireCustomer[]>('/customers?limit=3');
    expect((await other.http.delete('/customers/c27')).status).toBe(204);
    const next = /<([^>]+)>/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    expect((await other.http.get<WireCustomer[]>(next)).body.map(({ id }) => id)).toEqual(['c26', 'c25', 'c24']);
  });

  it.each([
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['cursor=x', 'cursor'],
    ['cursor=018f0000-0000-7000-8000-000000000000', 'cursor'],
    ['email=nobody', 'email'],
    ['phone=12', 'phone'],
    ['tier=', 'tier'],
    ['tag=', 'tag'],
    ['q=', 'q'],
    ['vip=gold', 'vip'],
  ])('refuses ?%s', async (query, field) => {
    const answer = await owner.http.get<ErrorBody>(`/customers?${query}`);
    expect([answer.outcome, answer.body.details?.map((it) => it.field)]).toEqual(['400 VALIDATION_FAILED', [field]]);
  });

  it('takes either an offset or a cursor', async () => {
    const { headers } = await owner.http.get('/customers?limit=1');
    const cursor = /cursor=([^&>]+)/.exec(headers.get('link') ?? '')?.[1];
    const answer = await owner.http.get<ErrorBody>(`/customers?offset=1&cursor=${cursor}`);
    expect([answer.outcome, answer.body.details?.map((it) => it.field)]).toEqual(['400 VALIDATION_FAILED', ['cursor']]);
  });
});

describe('GET /customers/:id/orders', () => {
  it('is the customer’s orders, newest first, each with its items in their order', async () => {
    const owner = await business();
    for (const id of ['buyer', 'other']) await makeCustomer(owner.http, { id });
    const items = [
      { product_id: 'prod_2', quantity: 2, unit_price: '0.1' },
      { product_id: 'prod_1', quantity: 1, unit_price: '123456789012345.6789' },
    ];
    const at = '2026-02-01T10:00:00.000Z';
    await makeOrder(app.owner, owner.tenantId, 'buyer', { id: 'old', at: '2026-01-01T00:00:00Z' });
    await makeOrder(app.owner, owner.tenantId, 'buyer', { id: 'new', at, items, status: 'pending', total: '99.90' });
    await makeOrder(app.owner, owner.tenantId, 'other', { id: 'foreign' });
    const answer = await owner.http.get<WireOrder[]>('/customers/buyer/orders?count=true');
    expect([answer.status, answer.headers.get('x-total-count'), answer.headers.get('link')]).toEqual([200, '2', null]);
    expect(answer.text).toContain('"unit_price":123456789012345.6789}');
    expect(answer.body).toEqual([
      {
        ...{ id: 'new', customer_id: 'buyer', status: 'pending', total: 99.9, currency: 'EUR', created_at: at },
        items: [
          { product_id: 'prod_2', quantity: 2, unit_price: 0.1 },
          { product_id: 'prod_1', quantity: 1, unit_price: 123456789012345.67 },
        ],
      },
      expect.objectContaining({ id: 'old', items: [] }),
    ]);
  });

  it('is paged, and empty of a customer without orders', async () => {
    const owner = await business();
    await makeCustomer(owner.http, { id: 'buyer' });
    const none = await owner.http.get<WireOrder[]>('/customers/buyer/orders?count=true');
    expect([none.body, none.headers.get('x-total-count')]).toEqual([[], '0']);
    for (let n = 0; n < 7; n += 1)
      await makeOrder(app.owner, owner.tenantId, 'buyer', { id: `o${n}`, at: '2026-01-01T00:00:00Z' });
    const found = await all<WireOrder>(owner, '/customers/buyer/orders?limit=3');
    expect(found.map(({ id }) => id)).toEqual(['o6', 'o5', 'o4', 'o3', 'o2', 'o1', 'o0']);
    expect((await owner.http.get('/customers/buyer/orders?status=pending')).outcome).toBe('400 VALIDATION_FAILED');
  });

  it('is 404 of a customer that there is not, or that is another tenant’s', async () => {
    const [owner, other] = [await business(), await business()];
    await makeCustomer(other.http, { id: 'buyer' });
    await makeOrder(app.owner, other.tenantId, 'buyer');
    for (const id of ['buyer', 'nobody'])
      expect((await owner.http.get(`/customers/${id}/orders`)).outcome).toBe('404 NOT_FOUND');
  });
});
