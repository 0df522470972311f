import { newId } from '../../src/common/ids';
import { TenantDatabase } from '../../src/platform/database/tenant-database';
import type { HttpAnswer } from '../support/http-client';
import { makeCustomer, makeOrder, type WireCustomer } from '../support/customers';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';

describe('what a customer spent, and its VIP tier', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp();
  });

  afterAll(() => app.close());

  const business = async (): Promise<LoggedIn> => app.login('TENANT_ADMIN', await app.make.tenant());
  const get = async ({ http }: LoggedIn, id: string) => (await http.get<WireCustomer>(`/customers/${id}`)).body;
  const list = async ({ http }: LoggedIn, query: string) => http.get<WireCustomer[]>(`/customers?${query}`);
  const spend = async (owner: LoggedIn, id: string, ...totals: string[]) => {
    await makeCustomer(owner.http, { id });
    for (const total of totals) await makeOrder(app.owner, owner.tenantId, id, { total });
  };

  it.each([
    [['5000.00'], 5_000, 'bronze'],
    [['5000.01'], 5_000.01, 'silver'],
    [['5000.0001'], 5_000.0001, 'silver'],
    [['10000.00'], 10_000, 'silver'],
    [['10000.01'], 10_000.01, 'gold'],
    [['0.1', '0.2'], 0.3, 'bronze'],
    [['9999.99', '0.01'], 10_000, 'silver'],
  ])('of orders over %j are %d and %s', async (totals, spent, tier) => {
    const owner = await business();
    await spend(owner, 'buyer', ...totals);
    expect(await get(owner, 'buyer')).toMatchObject({ total_spent: spent, vip_tier: tier });
    const listed = await list(owner, `vip_tier=${tier}`);
    expect(listed.body).toEqual([await get(owner, 'buyer')]);
  });

  it('count what is completed or pending, and nothing that was cancelled', async () => {
    const owner = await business();
    await makeCustomer(owner.http, { id: 'buyer' });
    for (const [status, total] of [
      ['completed', '3000'],
      ['pending', '3000'],
      ['cancelled', '90000'],
    ])
      await makeOrder(app.owner, owner.tenantId, 'buyer', { status, total });
    expect(await get(owner, 'buyer')).toMatchObject({ total_spent: 6_000, vip_tier: 'silver' });
  });

  it('are exact over 10,000 orders of cents, where a sum of doubles is not', async () => {
    const owner = await business();
    await makeCustomer(owner.http, { id: 'buyer' });
    await app.owner.query(
      `insert into orders (tenant_id, id, customer_id, status, total, currency)
        select $1, 'o' || n, 'buyer', case n % 2 when 0 then 'completed' else 'pending' end, '1.00', 'EUR'
        from generate_series(1, 9999) n`,
      [owner.tenantId],
    );
    await makeOrder(app.owner, owner.tenantId, 'buyer', { total: '1.00' });
    expect(await get(owner, 'buyer')).toMatchObject({ total_spent: 10_000, vip_tier: 'silver' });
    await app.owner.query(`update orders set total = 1.0001 where tenant_id = $1 and id = 'o7'`, [owner.tenantId]);
    expect(await get(owner, 'buyer')).toMatchObject({ total_spent: 10_000.0001, vip_tier: 'gold' });
    await app.owner.query(`update orders set total = 0.1 where tenant_id = $1 and id like 'o%'`, [owner.tenantId]);
    const doubles = Array<number>(10_000)
      .fill(0.1)
      .reduce((sum, each) => sum + each);
    expect((await get(owner, 'buyer')).total_spent).toBe(1_000);
    expect(doubles).not.toBe(1_000);
  });

  it('are written digit for digit, also beyond what a double holds', async () => {
    const owner = await business();
    await spend(owner, 'buyer', '123456789012345.6789', '0.0001');
    const { text } = await owner.http.get('/customers/buyer');
    expect(text).toContain('"total_spent":123456789012345.679,');
    const orders = await owner.http.get('/customers/buyer/orders');
    expect(orders.text).toContain('"total":123456789012345.6789,');
  });

  it('follow the thresholds of the tenant, and no other’s', async () => {
    const [owner, other] = [await business(), await business()];
    for (const each of [owner, other]) await spend(each, 'buyer', '150');
    const thresholds = (change: object) => owner.http.call('PATCH', '/tenants/current', { vip_thresholds: change });
    const answer = await owner.http.call<object>('PATCH', '/tenants/current', {
      vip_thresholds: { silver: 100, gold: '149.9999' },
    });
    expect(answer.body).toMatchObject({ vip_thresholds: { silver: 100, gold: 149.9999 } });
    expect((await get(owner, 'buyer')).vip_tier).toBe('gold');
    expect((await get(other, 'buyer')).vip_tier).toBe('bronze');
    expect((await thresholds({ gold: 150 })).status).toBe(200);
    expect((await get(owner, 'buyer')).vip_tier).toBe('silver');
    expect((await thresholds({ silver: 150 })).outcome).toBe('400 VALIDATION_FAILED');
    expect((await thresholds({ silver: '149.99', gold: 1_000 })).status).toBe(200);
    expect((await get(owner, 'buyer')).vip_tier).toBe('silver');
  });

  it('follow thresholds of any length, which are taken back as they are given', async () => {
    const owner = await business();
    const json = { headers: { 'content-type': 'application/json' } };
    const thresholds = '"vip_thresholds":{"silver":123456789012345.6788,"gold":123456789012345.6789}';
    const answer = await owner.http.call('PATCH', '/tenants/current', `{${thresholds}}`, json);
    expect([answer.status, answer.text]).toEqual([200, expect.stringContaining(thresholds)]);
    const long = '{"vip_thresholds":{"gold":1234567890123456.5}}';
    expect((await owner.http.call('PATCH', '/tenants/current', long, json)).text).toContain('vip_thresholds.gold');
  });

  it('narrow lists, their pages and their counts', async () => {
    const owner = await business();
    const sums = { bronze: '5000', silver: '10000', gold: '10000.01' };
    const tiers = ['bronze', 'silver', 'gold'] as const;
    for (let n = 0; n < 12; n += 1) await spend(owner, `c${n}`, sums[tiers[n % 3] ?? 'gold']);
    for (const [nth, tier] of tiers.entries()) {
      const wanted = [9, 6, 3, 0].map((n) => `c${n + nth}`);
      const whole = await list(owner, `vip_tier=${tier}&count=true`);
      expect([whole.body.map(({ id }) => id), whole.headers.get('x-total-count')]).toEqual([wanted, '4']);
      const found: string[] = [];
      let next: string | undefined = `/customers?vip_tier=${tier}&limit=3`;
      while (next !== undefined) {
        const page: HttpAnswer<WireCustomer[]> = await owner.http.get(next);
        found.push(...page.body.map(({ id }) => id));
        next = /<([^>]+)>/.exec(page.headers.get('link') ?? '')?.[1];
      }
      expect(found).toEqual(wanted);
    }
    expect((await list(owner, 'vip_tier=platinum')).outcome).toBe('400 VALIDATION_FAILED');
  });

  it('are found however far back, and however few', async () => {
    const owner = await business();
    await spend(owner, 'first', '10000.01');
    await app.owner.query(
      `insert into customers (tenant_id, id, name) select $1, 'c' || n, 'x' from generate_series(1, 1500) n`,
      [owner.tenantId],
    );
    await spend(owner, 'last', '10000.01');
    const found = await list(owner, 'vip_tier=gold&count=true');
    expect([found.body.map(({ id }) => id), found.headers.get('x-total-count')]).toEqual([['last', 'first'], '2']);
    const page = await list(owner, 'vip_tier=gold&limit=1');
    const next = /<([^>]+)>/.exec(page.headers.get('link') ?? '')?.[1] ?? '';
    expect((await owner.http.get<WireCustomer[]>(next)).body.map(({ id }) => id)).toEqual(['first']);
    expect((await list(owner, 'vip_tier=bronze&count=true')).headers.get('x-total-count')).toBe('1500');
    expect((await list(owner, 'vip_tier=bronze&limit=5&offset=1498')).body).toHaveLength(2);
  });

  it('of a whole page cost the same number of statements as those of one', async () => {
    const owner = await business();
    for (let n = 0; n < 30; n += 1) await spend(owner, `c${n}`, '1');
    const db = app.app.get(TenantDatabase);
    const counted = async (query: string) => {
      const spies = [jest.spyOn(db, 'query'), jest.spyOn(db, 'queryOnce'), jest.spyOn(db, 'repository')];
      const { body } = await list(owner, query);
      const calls = spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
      for (const spy of spies) spy.mockRestore();
      return [body.length, calls];
    };
    const [, ofOne] = await counted('limit=1');
    expect(await counted('limit=100')).toEqual([30, ofOne]);
    expect(await counted('limit=29&vip_tier=bronze')).toEqual([29, ofOne]);
    expect(await counted('limit=100&vip_tier=bronze')).toEqual([30, ofOne]);
  });

  it('are those of an order that has just been made', async () => {
    const owner = await business();
    await spend(owner, 'buyer');
    const before = await owner.http.get('/customers/buyer');
    await makeOrder(app.owner, owner.tenantId, 'buyer', { id: `ord_${newId()}`, total: '7000.5' });
    const after = await owner.http.get<WireCustomer>('/customers/buyer');
    expect(after.body).toMatchObject({ total_spent: 7_000.5, vip_tier: 'silver' });
    expect(after.headers.get('etag')).toBe(before.headers.get('etag'));
    const changed = await owner.http.call<WireCustomer>('PATCH', '/customers/buyer', { name: 'x' });
    expect(changed.body).toMatchObject({ total_spent: 7_000.5, vip_tier: 'silver' });
  });
});
