import type { ErrorBody } from '../../src/platform/http/error-body';
import { auditRecords } from '../support/audit-records';
import { makeCustomer, type WireCustomer } from '../support/customers';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';

const ACTIONS = ['CUSTOMER_CREATED', 'CUSTOMER_UPDATED', 'CUSTOMER_DELETED'];

describe('customers', () => {
  let app: TestApp;
  let manager: LoggedIn;

  beforeAll(async () => {
    app = await startTestApp();
    manager = await app.login('MANAGER');
  });

  afterAll(() => app.close());

  const post = (body: object, headers?: Record<string, string>) =>
    manager.http.post<WireCustomer & ErrorBody>('/customers', body, { headers });
  const change = (method: 'PUT' | 'PATCH', id: string, body: object, headers?: Record<string, string>) =>
    manager.http.call<WireCustomer & ErrorBody>(method, `/customers/${id}`, body, { headers });
  const recordsOf = async (id: string) => {
    const records = await auditRecords(app.owner, ACTIONS, `customer:${id}`);
    // Of the caller, not of the customer.
    expect(records.map(({ personal }) => Object.keys(personal ?? {}))).toEqual(records.map(() => ['ip', 'user_agent']));
    return records.map(({ action, metadata }) => [action, metadata]);
  };

  it('are made, shown with their ETag, changed and removed, on record without anything that names them', async () => {
    const answer = await post({
      id: 'cust_001',
      email: ' Jane@Example.COM ',
      name: ' Jane Doe ',
      tier: 'platinum',
      phone: '0044 20 7946 0958',
      address: { street: '1 High Street', city: 'London', postal_code: 'N1', region: 'Greater London', country: 'GB' },
      tags: [' newsletter ', 'watches'],
    });
    const { created_at } = answer.body;
    expect([answer.status, answer.body]).toEqual([
      201,
      {
        ...{ id: 'cust_001', email: 'jane@example.com', name: 'Jane Doe', tier: 'platinum', phone: '+442079460958' },
        address: {
          street: '1 High Street',
          city: 'London',
          postal_code: 'N1',
          region: 'Greater London',
          country: 'GB',
        },
        ...{ tags: ['newsletter', 'watches'], total_spent: 0, vip_tier: 'bronze', anonymised_at: null },
        ...{ created_at, updated_at: created_at },
      },
    ]);
    const shown = await manager.http.get<WireCustomer>('/customers/cust_001');
    expect([shown.body, shown.headers.get('etag')]).toEqual([answer.body, answer.headers.get('etag')]);

    const put = await change('PUT', 'cust_001', { name: 'Jane Roe', tags: [] });
    expect(put.body).toMatchObject({ name: 'Jane Roe', tags: [], email: 'jane@example.com', phone: '+442079460958' });
    expect(put.headers.get('etag')).not.toBe(shown.headers.get('etag'));
    const patched = await change('PATCH', 'cust_001', { email: null, tier: null, address: '1 High Street\nLondon' });
    expect(patched.body).toMatchObject({ email: null, tier: null, address: '1 High Street\nLondon', name: 'Jane Roe' });
    const same = await change('PATCH', 'cust_001', { phone: '+44 (0)20 7946 0958', address: '1 High Street\nLondon' });
    expect([same.body, same.headers.get('etag')]).toEqual([patched.body, patched.headers.get('etag')]);
    expect((await change('PUT', 'cust_001', {})).body).toEqual(patched.body);

    expect((await manager.http.delete('/customers/cust_001')).status).toBe(204);
    for (const gone of [
      await manager.http.get('/customers/cust_001'),
      await manager.http.delete('/customers/cust_001'),
      await change('PUT', 'cust_001', { name: 'x' }),
      await manager.http.get('/customers/cust_001/orders'),
    ])
      expect(gone.outcome).toBe('404 NOT_FOUND');
    expect(await recordsOf('cust_001')).toEqual([
      ['CUSTOMER_CREATED', {}],
      ['CUSTOMER_UPDATED', { changed: ['name', 'tags'] }],
      ['CUSTOMER_UPDATED', { changed: ['email', 'tier', 'address'] }],
      ['CUSTOMER_DELETED', { anonymised: false }],
    ]);
  });

  it('keep an address as it came, and what looks like a number a text', async () => {
    for (const address of ['12', 'Rua Augusta 1, Lisboa', {}, { country: 'PT', city: '1100' }]) {
      const { id } = await makeCustomer(manager.http, { address });
      expect((await manager.http.get<WireCustomer>(`/customers/${id}`)).body.address).toEqual(address);
    }
  });

  it('get an id of ours where none is chosen, and keep theirs to themselves', async () => {
    const made = await makeCustomer(manager.http);
    expect(made.id).toMatch(/^cust_[0-9a-f]{32}$/);
    const both = await Promise.all([post({ id: 'twin', name: 'A' }), post({ id: 'twin', name: 'B' })]);
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(['201', '409 CUSTOMER_ID_TAKEN']);
    const elsewhere = await app.login('MANAGER', await app.make.tenant());
    expect((await makeCustomer(elsewhere.http, { id: 'twin' })).id).toBe('twin');
  });

  it('have an email and a phone number of their own in the tenant, however they are spelt', async () => {
    const emails = ['one@example.com', 'ONE@example.com', ' One@Example.Com'];
    const byEmail = await Promise.all(emails.map((email) => post({ email })));
    expect(byEmail.map(({ outcome }) => outcome).sort()).toEqual(['201', ...Array(2).fill('409 CUSTOMER_EMAIL_TAKEN')]);
    const phones = ['+5511988887777', '0055 11 98888 7777', '+55 (11) 98888-7777'];
    const byPhone = await Promise.all(phones.map((phone) => post({ phone })));
    expect(byPhone.map(({ outcome }) => outcome).sort()).toEqual(['201', ...Array(2).fill('409 CUSTOMER_PHONE_TAKEN')]);
    const { id } = await makeCustomer(manager.http);
    expect((await change('PATCH', id, { email: 'one@EXAMPLE.com' })).outcome).toBe('409 CUSTOMER_EMAIL_TAKEN');
    expect((await change('PUT', id, { phone: phones[2] })).outcome).toBe('409 CUSTOMER_PHONE_TAKEN');
    expect(await recordsOf(id)).toHaveLength(1);
    const elsewhere = await app.login('MANAGER', await app.make.tenant());
    await makeCustomer(elsewhere.http, { email: emails[0], phone: phones[0] });
  });

  it('that want each other’s email at the same moment are told so, both', async () => {
    const [a, b] = [
      await makeCustomer(manager.http, { email: 'a@swap.example' }),
      await makeCustomer(manager.http, { email: 'b@swap.example' }),
    ];
    const answers = await Promise.all([
      change('PATCH', a.id, { email: 'b@swap.example' }),
      change('PATCH', b.id, { email: 'a@swap.example' }),
    ]);
    expect(answers.map(({ outcome }) => outcome)).toEqual(Array(2).fill('409 CUSTOMER_EMAIL_TAKEN'));
  });

  it('are changed and removed as they were read, or not at all', async () => {
    const { id } = await makeCustomer(manager.http);
    const etag = (await manager.http.get(`/customers/${id}`)).headers.get('etag') ?? '';
    const both = await Promise.all(['a', 'b'].map((name) => change('PATCH', id, { name }, { 'if-match': etag })));
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(['200', '412 PRECONDITION_FAILED']);
    const remove = (tag: string) => manager.http.delete(`/customers/${id}`, { headers: { 'if-match': tag } });
    expect((await remove(etag)).outcome).toBe('412 PRECONDITION_FAILED');
    const fresh = (await manager.http.get(`/customers/${id}`)).headers.get('etag') ?? '';
    expect((await remove(fresh)).status).toBe(204);
    await makeCustomer(manager.http, { id });
    expect((await remove('"1"')).outcome).toBe('412 PRECONDITION_FAILED');
    const before = (await manager.http.get(`/customers/${id}`)).headers.get('etag') ?? '';
    expect((await remove(before)).status).toBe(204);
    await makeCustomer(manager.http, { id });
    expect((await remove(before)).outcome).toBe('412 PRECONDITION_FAILED');
  });

  it.each([
    ['of an id of ours', {}],
    ['of a chosen id', { id: 'chosen' }],
  ])('%s, of a request that is repeated after its process died, are made once', async (what, fields) => {
    const headers = { 'idempotency-key': `customer ${what}`.replaceAll(' ', '-') };
    const body = { name: 'Once', email: `${headers['idempotency-key']}@example.com`, ...fields };
    const first = await post(body, headers);
    // As it is when the process dies between the customer's commit and keeping the answer.
    await app.owner.query(
      `update idempotency_keys set state = 'running', lease_until = now() - interval '1 s' where key = $1`,
      [headers['idempotency-key']],
    );
    const again = await post(body, headers);
    expect([again.status, again.body, again.headers.get('idempotent-replayed')]).toEqual([201, first.body, null]);
    expect(await recordsOf(first.body.id)).toHaveLength(1);
    const refused = 'id' in fields ? '409 CUSTOMER_ID_TAKEN' : '409 CUSTOMER_EMAIL_TAKEN';
    expect((await post(body, { 'idempotency-key': 'another' + headers['idempotency-key'] })).outcome).toBe(refused);
  });

  it.each<[string, object]>([
    ['id', { id: '' }],
    ['id', { id: '-first' }],
    ['id', { id: 'with blank' }],
    ['id', { id: 'x'.repeat(65) }],
    ['id', { id: 7 }],
  ])('are not made with that %s: %j', async (field, fields) => {
    const answer = await post({ name: 'x', ...fields });
    expect([answer.outcome, answer.body.details?.map((it) => it.field)]).toEqual(['400 VALIDATION_FAILED', [field]]);
  });

  it.each<[string, object]>([
    ['email', { email: 'nobody' }],
    ['email', { email: `${'x'.repeat(250)}@example.com` }],
    ['email', { email: 7 }],
    ['name', { name: ' ' }],
    ['name', { name: 'x'.repeat(201) }],
    ['name', { name: 'a\u0000b' }],
    ['tier', { tier: '' }],
    ['tier', { tier: 'x'.repeat(51) }],
    ['phone', { phone: '123' }],
    ['phone', { phone: '020 7946 0958 ext. 3' }],
    ['phone', { phone: '+44 20 7946 0958 ext. 3' }],
    ['phone', { phone: 442_079_460_958 }],
    ['phone', { phone: '+'.padEnd(70, '4') }],
    ['address', { address: '' }],
    ['address', { address: 'x'.repeat(1_001) }],
    ['address', { address: ['x'] }],
    ['address', { address: 7 }],
    ['address', { address: { planet: 'Mars' } }],
    ['address', { address: { city: 7 } }],
    ['address', { address: { city: { name: 'x' } } }],
    ['address', { address: { city: 'x'.repeat(201) } }],
    ['tags', { tags: 'x' }],
    ['tags', { tags: null }],
    ['tags', { tags: [''] }],
    ['tags', { tags: ['a', ' a'] }],
    ['tags', { tags: ['x'.repeat(51)] }],
    ['tags', { tags: Array.from({ length: 51 }, (_, n) => `t${n}`) }],
    ['total_spent', { total_spent: 1 }],
    ['vip_tier', { vip_tier: 'gold' }],
  ])('are refused for their %s: %j', async (field, fields) => {
    const whole = await post({ name: 'x', ...fields });
    expect([whole.outcome, whole.body.details?.map((it) => it.field)]).toEqual(['400 VALIDATION_FAILED', [field]]);
    const { id } = await makeCustomer(manager.http);
    expect((await change('PATCH', id, fields)).outcome).toBe('400 VALIDATION_FAILED');
  });

  it('have something to be known by', async () => {
    expect((await post({})).outcome).toBe('400 VALIDATION_FAILED');
    expect((await post({ tier: 'gold', name: null })).outcome).toBe('400 VALIDATION_FAILED');
    const { id } = await makeCustomer(manager.http, { phone: '+351210000001' });
    expect((await change('PATCH', id, { name: null })).status).toBe(200);
    expect((await change('PATCH', id, { phone: null })).outcome).toBe('400 VALIDATION_FAILED');
    expect((await change('PATCH', id, { id: 'other' })).outcome).toBe('400 VALIDATION_FAILED');
  });

  it('are read by every role, and written by administrators and managers', async () => {
    const { id } = await makeCustomer(manager.http);
    for (const role of ['AGENT', 'AUDITOR'] as const) {
      const { http } = await app.login(role);
      for (const path of ['/customers', `/customers/${id}`, `/customers/${id}/orders`])
        expect((await http.get(path)).status).toBe(200);
      expect((await http.post('/customers', { name: 'x' })).outcome).toBe('403 FORBIDDEN');
      for (const method of ['PUT', 'PATCH'])
        expect((await http.call(method, `/customers/${id}`, { name: 'x' })).outcome).toBe('403 FORBIDDEN');
      expect((await http.delete(`/customers/${id}`)).outcome).toBe('403 FORBIDDEN');
    }
    const admin = await app.login('TENANT_ADMIN');
    expect((await admin.http.delete(`/customers/${id}`)).status).toBe(204);
  });
});
