import { newId } from '../../src/common/ids';
import type { ErrorBody } from '../../src/platform/http/error-body';
import type { HttpClient } from '../support/http-client';
import { placeOrder, setStatus, Shop, type WireOrder } from '../support/orders';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { makeTemplate } from '../support/templates';
import { becomes, sendsOf, type WireMessage, type WireSession, workingSession } from '../support/whatsapp';

const PHONE = '+5511888871234';
const CHAT = '5511888871234@c.us';

let app: TestApp;
let admin: LoggedIn;
let session: WireSession;

beforeAll(async () => {
  app = await startTestApp();
  admin = await app.login('TENANT_ADMIN');
  session = await workingSession(app, admin.http);
});

afterAll(() => app.close());

const template = async (http: HttpClient, text: string) => (await makeTemplate(http, text)).id;
const set = (http: HttpClient, order_messages: object) =>
  http.call<{ order_messages: object } & ErrorBody>('PATCH', '/tenants/current', { order_messages });
const messagesOf = async (http: HttpClient) => (await http.get<WireMessage[]>('/messages?limit=100')).body;

/** A tenant of its own with a session whose messages wait, a product and a customer; `text` confirms its orders. */
async function seller(text = 'Thank you', quotas: object = {}) {
  const tenantId = await app.make.tenant();
  await app.owner.query(`update tenants set quotas = $2 where id = $1`, [tenantId, quotas]);
  const { http } = await app.login('TENANT_ADMIN', tenantId);
  const lane = await app.make.session(tenantId);
  const shop = new Shop(app.owner, tenantId);
  const [product, customer, template_id] = [
    await shop.product({ stock: 100 }),
    await shop.customer({ phone: PHONE }),
    await template(http, text),
  ];
  const done = await set(http, { confirmation: { template_id } });
  if (done.status !== 200) throw new Error(done.text);
  const body = (customer_id: string = customer) => ({ customer_id, items: [{ product_id: product, quantity: 1 }] });
  return { http, tenantId, shop, lane, product, template_id, body };
}

describe('an order’s messages', () => {
  it('are off unless they are switched on', async () => {
    const shop = new Shop(app.owner, app.tenantId);
    const body = { customer_id: await shop.customer({ phone: '+5511888879999' }), items: [] as object[] };
    body.items = [{ product_id: await shop.product(), quantity: 1 }];
    const order = await placeOrder(admin.http, body);
    const ended = await setStatus(admin.http, order.id, 'completed');
    expect([order.messages, ended.body.messages, await messagesOf(admin.http)]).toEqual([undefined, undefined, []]);
  });

  it('confirm, complete and cancel by the tenant’s templates, and reach the customer', async () => {
    const { http } = admin;
    const text = (what: string) =>
      `${what} {{customer_name}}: {{order_id}} {{items}} = {{total}} {{currency}} ({{status}})`;
    const confirmation = { template_id: await template(http, text('Thanks')), session_id: session.id };
    const [done, off] = [await template(http, text('Done')), await template(http, text('Off'))];
    const settings = await set(http, { confirmation, completion: { template_id: done } });
    expect(settings.body.order_messages).toEqual({
      ...{ confirmation, completion: { template_id: done, session_id: null }, cancellation: null },
    });
    await set(http, { cancellation: { template_id: off } });

    const shop = new Shop(app.owner, app.tenantId);
    const customer_id = await shop.customer({ name: 'Ada {{total}}', phone: PHONE });
    const items = [
      { product_id: await shop.product({ name: 'Submariner', price: '12.5' }), quantity: 2 },
      { product_id: await shop.product({ name: 'Datejust', price: '0.1' }), quantity: 1 },
    ];
    // Whoever may not send messages may place orders: the tenant's administrators have decided that they are confirmed.
    const agent = await app.login('AGENT');
    const [kept, dropped] = [
      await placeOrder(agent.http, { customer_id, items }),
      await placeOrder(agent.http, { customer_id, items }),
    ];
    const completed = (await setStatus(http, kept.id, 'completed')).body;
    const cancelled = (await setStatus(http, dropped.id, 'cancelled')).body;
    const what = (id: string, status: string) =>
      `Ada {{total}}: ${id} 2 × Submariner, 1 × Datejust = 25.10 EUR (${status})`;
    for (const [told, expected, by] of [
      [completed.messages?.confirmation, `Thanks ${what(kept.id, 'pending')}`, agent.userId],
      [completed.messages?.completion, `Done ${what(kept.id, 'completed')}`, admin.userId],
      [cancelled.messages?.cancellation, `Off ${what(dropped.id, 'cancelled')}`, admin.userId],
    ] as const) {
      const message = await becomes(http, told?.id ?? '', 'delivered', 'read');
      expect(message).toMatchObject({ text: expected, session_id: session.id, created_by: by });
      expect((await sendsOf(app, session)).filter((send) => send.text === expected)).toMatchObject([{ chatId: CHAT }]);
    }
    const first = await http.get<WireMessage>(`/messages/${completed.messages?.confirmation?.id}`);
    expect(first.body).toMatchObject({
      template_id: confirmation.template_id,
      metadata: { order_id: kept.id, order_message: 'confirmation' },
    });
    expect((await http.get<WireOrder>(`/orders/${kept.id}`)).body).toEqual(completed);
    const listed = await http.get<WireOrder[]>(`/customers/${customer_id}/orders`);
    expect(listed.body.find(({ id }) => id === kept.id)).toEqual(completed);
    const { rows } = await app.owner.query<{ message: unknown }>(
      `select metadata -> 'message' as message from audit_logs where resource = $1 order by id`,
      [`order:${kept.id}`],
    );
    expect(rows.map(({ message }) => message)).toEqual([
      completed.messages?.confirmation,
      completed.messages?.completion,
    ]);
    await set(http, { confirmation: null, completion: null, cancellation: null });
    expect((await placeOrder(http, { customer_id, items })).messages).toBeUndefined();
  });

  it('wait their turn in the lane, and count in the quota of the day', async () => {
    const { http, tenantId, body } = await seller('Hello', { messages_per_day: 2 });
    const orders = [await placeOrder(http, body()), await placeOrder(http, body()), await placeOrder(http, body())];
    expect(orders.map(({ messages }) => messages?.confirmation?.skipped)).toEqual([
      ...[undefined, undefined, 'QUOTA_EXCEEDED'],
    ]);
    expect((await messagesOf(http)).map(({ status }) => status)).toEqual(['queued', 'queued']);
    const { rows } = await app.owner.query(`select messages::int from tenant_usage where tenant_id = $1`, [tenantId]);
    expect(rows).toEqual([{ messages: 2 }]);
  });

  it('are there with the order or not at all, and so is the order', async () => {
    const { http, tenantId, shop, product, body } = await seller('Hello', { messages_per_day: 100 });
    for (const table of ['messages', 'orders', 'audit_logs']) {
      const condition = table === 'audit_logs' ? `new.action = 'ORDER_CREATED'` : 'true';
      await app.owner.query(`create function refuse() returns trigger language plpgsql as $$ begin
        if new.tenant_id = '${tenantId}' and ${condition} then raise exception 'refused by a test'; end if;
        return new; end $$`);
      await app.owner.query(`create trigger refuse before insert on ${table} for each row execute function refuse()`);
      expect((await http.post('/orders', body())).outcome).toBe('500 INTERNAL_ERROR');
      await app.owner.query(`drop function refuse cascade`);
      expect([await shop.orders(), await shop.stockOf(product), await messagesOf(http)]).toEqual([0, 100, []]);
      const { rows } = await app.owner.query(`select from tenant_usage where tenant_id = $1 and messages > 0`, [
        tenantId,
      ]);
      expect(rows).toEqual([]);
    }
    const { messages } = await placeOrder(http, body());
    expect((await messagesOf(http)).map(({ id }) => id)).toEqual([messages?.confirmation?.id]);
  });

  it('of a request that is repeated after its process died are one', async () => {
    const { http, body } = await seller();
    const headers = { 'idempotency-key': `told-once-${newId()}` };
    const first = await placeOrder(http, body(), headers);
    await app.owner.query(
      `update idempotency_keys set state = 'running', lease_until = now() - interval '1 s' where key = $1`,
      [headers['idempotency-key']],
    );
    expect(await placeOrder(http, body(), headers)).toEqual(first);
    expect((await messagesOf(http)).map(({ id }) => id)).toEqual([first.messages?.confirmation?.id]);
  });

  it('are one for the one of many who cancels', async () => {
    const { http, template_id, body } = await seller();
    await set(http, { confirmation: null, cancellation: { template_id } });
    const { id } = await placeOrder(http, body());
    const answers = await Promise.all([1, 2, 3, 4].map(() => setStatus(http, id, 'cancelled')));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
    expect(await messagesOf(http)).toHaveLength(1);
  });
});

describe('what cannot be sent is said, and the order is placed all the same', () => {
  it.each([null, 'none', '+1'])('NO_PHONE: a customer whose phone is %j', async (phone) => {
    const { http, shop, body } = await seller();
    const order = await placeOrder(http, body(await shop.customer({ phone })));
    expect(order.messages).toEqual({ confirmation: { skipped: 'NO_PHONE' } });
    expect(await messagesOf(http)).toEqual([]);
    const { rows } = await app.owner.query(
      `select metadata -> 'message' as message from audit_logs where resource = $1`,
      [`order:${order.id}`],
    );
    expect(rows).toEqual([{ message: { skipped: 'NO_PHONE' } }]);
  });

  it('TEMPLATE_NOT_FOUND: a template that was deleted since', async () => {
    const { http, template_id, body } = await seller();
    expect((await http.delete(`/templates/${template_id}`)).status).toBe(204);
    expect((await placeOrder(http, body())).messages).toEqual({ confirmation: { skipped: 'TEMPLATE_NOT_FOUND' } });
  });

  it.each([
    ['asks for what no order has', 'Your {{discount}}', 'Ada'],
    ['says nothing', '{{customer_name}}', null],
  ])('TEMPLATE_NOT_FILLABLE: a template that %s', async (_what, text, name) => {
    const { http, shop, body } = await seller(text);
    const order = await placeOrder(http, body(await shop.customer({ name, phone: '+5511888875555' })));
    expect(order.messages).toEqual({ confirmation: { skipped: 'TEMPLATE_NOT_FILLABLE' } });
  });

  it('SESSION_REQUIRED: none is named, and there are two', async () => {
    const { http, tenantId, body } = await seller();
    await app.make.session(tenantId);
    expect((await placeOrder(http, body())).messages).toEqual({ confirmation: { skipped: 'SESSION_REQUIRED' } });
  });

  it('SESSION_NOT_FOUND: the one that is named is deleted', async () => {
    const { http, template_id, lane, body } = await seller();
    expect((await set(http, { confirmation: { template_id, session_id: lane.id } })).status).toBe(200);
    await app.owner.query(`update lanes set state = 'closed', next_at = null where session_id = $1`, [lane.id]);
    expect((await placeOrder(http, body())).messages).toEqual({ confirmation: { skipped: 'SESSION_NOT_FOUND' } });
  });

  it('of an order that is ended too, whose customer was anonymised', async () => {
    const { http, template_id, body, tenantId } = await seller();
    await set(http, { completion: { template_id } });
    const { id, messages } = await placeOrder(http, body());
    await app.owner.query(
      `update customers set anonymised_at = now(), phone = null, name = null where tenant_id = $1`,
      [tenantId],
    );
    const done = await setStatus(http, id, 'completed');
    expect(done.body.messages).toEqual({ ...messages, completion: { skipped: 'NO_PHONE' } });
  });
});

describe('order_messages of PATCH /tenants/current', () => {
  it('take templates and sessions of the tenant only, and name what is none', async () => {
    const [own, other] = [await seller(), await seller()];
    const nobodys = newId();
    const answer = await set(own.http, {
      confirmation: { template_id: other.template_id },
      completion: { template_id: own.template_id, session_id: other.lane.id },
      cancellation: { template_id: nobodys, session_id: nobodys },
    });
    expect(answer.outcome).toBe('400 VALIDATION_FAILED');
    expect(answer.body.details?.map(({ field }) => field)).toEqual([
      'order_messages.confirmation.template_id',
      'order_messages.completion.session_id',
      'order_messages.cancellation.template_id',
      'order_messages.cancellation.session_id',
    ]);
  });

  it.each([
    [{ confirmation: {} }, 'order_messages.confirmation.template_id'],
    [{ confirmation: { template_id: 'x' } }, 'order_messages.confirmation.template_id'],
    [{ confirmation: { template_id: newId(), session_id: null } }, 'order_messages.confirmation.session_id'],
    [{ completion: 'x' }, 'order_messages.completion'],
    [{ delivery: { template_id: newId() } }, 'order_messages.delivery'],
  ])('refuses %j', async (messages, field) => {
    const answer = await set(admin.http, messages);
    expect([answer.outcome, answer.body.details?.[0]?.field]).toEqual(['400 VALIDATION_FAILED', field]);
  });

  it('are changed one by one, and on record', async () => {
    const { http, tenantId, template_id } = await seller();
    const first = { template_id, session_id: null };
    const changed = await set(http, { completion: { template_id } });
    expect(changed.body.order_messages).toEqual({ confirmation: first, completion: first, cancellation: null });
    const off = await set(http, { confirmation: null });
    expect(off.body.order_messages).toEqual({ confirmation: null, completion: first, cancellation: null });
    const { rows } = await app.owner.query<{ fields: string[] }>(
      `select metadata -> 'fields' as fields from audit_logs where tenant_id = $1 and action = 'TENANT_UPDATED'`,
      [tenantId],
    );
    expect(rows.map(({ fields }) => fields)).toEqual(Array(3).fill(['settings.order_messages']));
  });
});

describe('a template with a file', () => {
  const withFile = async (http: HttpClient, template_id: string) => {
    const media = { type: 'file', url: 'https://files.example/terms.pdf', filename: 'terms.pdf' };
    const change = await http.call('PATCH', `/templates/${template_id}`, { media });
    if (change.status !== 200) throw new Error(change.text);
  };

  it('confirms an order with it, the text below', async () => {
    const { http, template_id, body } = await seller('Thank you for {{order_id}}');
    await withFile(http, template_id);
    const order = await placeOrder(http, body());
    const [message] = await messagesOf(http);
    expect(order.messages).toEqual({ confirmation: { id: message?.id } });
    expect(message).toMatchObject({
      type: 'file',
      text: `Thank you for ${order.id}`,
      media: { filename: 'terms.pdf' },
    });
  });

  it('is not sent where the tenant may keep no more; the order is placed', async () => {
    const { http, template_id, body } = await seller('Thank you', { storage_bytes: 0 });
    await withFile(http, template_id);
    const order = await placeOrder(http, body());
    expect(order.messages).toEqual({ confirmation: { skipped: 'STORAGE_FULL' } });
  });
});
