import type { ErrorBody } from '../../src/platform/http/error-body';
import { auditRecords } from '../support/audit-records';
import { blocksSomebody } from '../support/blocked';
import { makeCustomer, makeOrder, type WireCustomer } from '../support/customers';
import type { WireOrder } from '../support/orders';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';

describe('DELETE /customers/:id', () => {
  let app: TestApp;
  let manager: LoggedIn;

  beforeAll(async () => {
    app = await startTestApp();
    manager = await app.login('MANAGER');
  });

  afterAll(() => app.close());

  const WHOLE = { name: 'Ada Lovelace', tier: 'platinum', address: { city: 'London' }, tags: ['maths'] };
  const remove = (id: string) => manager.http.delete<ErrorBody>(`/customers/${id}`);
  const get = async (id: string) => (await manager.http.get<WireCustomer>(`/customers/${id}`)).body;
  const removals = async (id: string) =>
    (await auditRecords(app.owner, ['CUSTOMER_DELETED'], `customer:${id}`)).map(({ metadata }) => metadata);

  it('anonymises one with orders: these stay, all that named it is gone and free for another', async () => {
    const contact = { email: 'ada@example.com', phone: '+442079460001' };
    const { id } = await makeCustomer(manager.http, { ...WHOLE, ...contact });
    await makeOrder(app.owner, app.tenantId, id, { total: '12000' });
    expect((await remove(id)).status).toBe(204);
    const left = await get(id);
    expect(left).toEqual({
      ...{ id, email: null, name: null, phone: null, address: null, tags: [], tier: 'platinum' },
      ...{ total_spent: 12_000, vip_tier: 'gold', anonymised_at: expect.any(String) },
      ...{ created_at: left.created_at, updated_at: left.anonymised_at },
    });
    const { rows } = await app.owner.query<{ row: string }>(
      `select c::text as row from customers c where tenant_id = $1 and id = $2`,
      [app.tenantId, id],
    );
    expect(rows[0]?.row).not.toMatch(/Ada|ada@|4420|London|maths/);
    expect((await manager.http.get<WireOrder[]>(`/customers/${id}/orders`)).body).toHaveLength(1);
    expect((await remove(id)).status).toBe(204);
    expect(await get(id)).toEqual(left);
    expect(await removals(id)).toEqual([{ anonymised: true }]);
    for (const method of ['PUT', 'PATCH']) {
      const answer = await manager.http.call<ErrorBody>(method, `/customers/${id}`, { name: 'Ada again' });
      expect(answer.outcome).toBe('409 CUSTOMER_ANONYMISED');
    }
    await makeCustomer(manager.http, contact);
  });

  it('takes one whose orders were all cancelled for one with orders', async () => {
    const { id } = await makeCustomer(manager.http, WHOLE);
    await makeOrder(app.owner, app.tenantId, id, { status: 'cancelled' });
    expect((await remove(id)).status).toBe(204);
    expect(await get(id)).toMatchObject({ name: null, total_spent: 0, vip_tier: 'bronze' });
  });

  it('waits for an order that is being made, and then anonymises', async () => {
    const { id } = await makeCustomer(manager.http, WHOLE);
    const buyer = await app.db.owner();
    await buyer.query('begin');
    await makeOrder(buyer, app.tenantId, id);
    const removing = remove(id);
    await blocksSomebody(buyer, 'the removal to wait for the order');
    await buyer.query('commit');
    await buyer.end();
    expect((await removing).status).toBe(204);
    expect(await get(id)).toMatchObject({ id, name: null, anonymised_at: expect.any(String) });
  });

  it('drops one whose order was given up meanwhile', async () => {
    const { id } = await makeCustomer(manager.http, WHOLE);
    const buyer = await app.db.owner();
    await buyer.query('begin');
    await makeOrder(buyer, app.tenantId, id);
    const removing = remove(id);
    await blocksSomebody(buyer, 'the removal to wait for the order');
    await buyer.query('rollback');
    await buyer.end();
    expect((await removing).status).toBe(204);
    expect((await manager.http.get(`/customers/${id}`)).outcome).toBe('404 NOT_FOUND');
  });

  it('is first, or the order is: nobody orders as somebody who was dropped, and no order is lost', async () => {
    const outcomes = new Set<string>();
    const buyer = await app.db.owner();
    for (let round = 0; round < 60; round += 1) {
      const { id } = await makeCustomer(manager.http, WHOLE);
      const [order, removal] = await Promise.allSettled([makeOrder(buyer, app.tenantId, id), remove(id)]);
      expect(removal).toMatchObject({ value: { status: 204 } });
      const left = await manager.http.get<WireCustomer>(`/customers/${id}`);
      if (order.status === 'fulfilled') expect(left.body).toMatchObject({ name: null, total_spent: 10 });
      else expect([order.reason, left.outcome]).toEqual([expect.objectContaining({ code: '23503' }), '404 NOT_FOUND']);
      outcomes.add(order.status);
    }
    await buyer.end();
    expect(outcomes.size).toBeGreaterThan(0);
  });
});
