import type { UserResponse } from '../../src/modules/users/dto/user.response';
import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';

const PASSWORD = 'correct horse battery';
const NOBODYS = '01890000-0000-7000-8000-000000000001';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});

afterAll(() => app.close());

/** An administrator of a tenant of its own. */
const newTenant = async (): Promise<LoggedIn> => app.login('TENANT_ADMIN', await app.make.tenant());

let made = 0;
const draft = (change: object = {}) => {
  made += 1;
  return { email: `user${made}@team.example`, password: PASSWORD, name: `User ${made}`, role: 'AGENT', ...change };
};

async function add({ http }: LoggedIn, change: object = {}): Promise<UserResponse> {
  const answer = await http.post<UserResponse>('/users', draft(change));
  if (answer.status !== 201) throw new Error(`Adding a user gave ${answer.outcome}: ${answer.text}`);
  return answer.body;
}

const logIn = (email: string, tenant: string) =>
  app.anybody.post<{ access_token: string; refresh_token: string }>('/auth/login', {
    email,
    password: PASSWORD,
    tenant,
  });

interface Recorded {
  action: string;
  metadata: Record<string, unknown>;
  personal: string;
}

async function recordsOf(userId: string): Promise<Recorded[]> {
  const { rows } = await app.owner.query<Recorded>(
    `select action, metadata, personal from audit_logs where resource = $1 order by id`,
    [`user:${userId}`],
  );
  return rows;
}

describe('POST /users', () => {
  it('takes somebody in who can log in at once, and records it with who it is', async () => {
    const admin = await newTenant();
    const user = await add(admin, { email: '  Jane.Doe@Team.example ', role: 'MANAGER', name: 'Jane Doe' });
    expect(user).toMatchObject({ email: 'jane.doe@team.example', name: 'Jane Doe', role: 'MANAGER', status: 'active' });
    expect(JSON.stringify(user)).not.toContain('hash');
    expect((await logIn(user.email, admin.tenantId)).status).toBe(200);
    const [record, ...more] = await recordsOf(user.id);
    expect([record?.action, record?.metadata]).toEqual(['USER_CREATED', { role: 'MANAGER' }]);
    expect(JSON.parse(record?.personal ?? '')).toMatchObject({ email: 'jane.doe@team.example', name: 'Jane Doe' });
    expect(more).toEqual([]);
  });

  it('refuses an email that the tenant has, and takes one that only others have', async () => {
    const [one, other] = [await newTenant(), await newTenant()];
    const { email } = await add(one);
    expect((await one.http.post('/users', draft({ email: email.toUpperCase() }))).outcome).toBe('409 EMAIL_TAKEN');
    expect((await other.http.post('/users', draft({ email }))).status).toBe(201);
  });

  it('makes one user of several requests for one email at once', async () => {
    const admin = await newTenant();
    const body = draft();
    const answers = await Promise.all(Array.from({ length: 5 }, () => admin.http.post('/users', body)));
    expect(answers.map(({ outcome }) => outcome).sort()).toEqual(['201', ...Array<string>(4).fill('409 EMAIL_TAKEN')]);
  });

  it.each([
    ['no name', { name: undefined }, 'name'],
    ['an email that is none', { email: 'jane' }, 'email'],
    ['a short password', { password: 'too short' }, 'password'],
    ['a common password', { password: 'password1234' }, 'password'],
    ['a role of the platform', { role: 'PLATFORM_ADMIN' }, 'role'],
    ['an unknown field', { status: 'active' }, 'status'],
  ])('refuses %s: 400, and nobody is made', async (_what, change, field) => {
    const admin = await newTenant();
    const answer = await admin.http.post<{ details: { field: string }[] }>('/users', draft(change));
    expect([answer.outcome, answer.body.details[0]?.field]).toEqual(['400 VALIDATION_FAILED', field]);
    expect((await admin.http.get<UserResponse[]>('/users')).body).toHaveLength(1);
  });

  it('gives a repeated request with an Idempotency-Key the user of the first, also when its answer was lost', async () => {
    const admin = await newTenant();
    const body = draft();
    const headers = { 'idempotency-key': 'once' };
    const first = await admin.http.post<UserResponse>('/users', body, { headers });
    expect((await admin.http.post('/users', body, { headers })).text).toBe(first.text);
    await app.owner.query(
      `update idempotency_keys set state = 'running', lease_until = now() - interval '1 second' where tenant_id = $1`,
      [admin.tenantId],
    );
    const again = await admin.http.post<UserResponse>('/users', body, { headers });
    expect([again.status, again.body.id]).toEqual([201, first.body.id]);
  });

  it('holds the bound of the plan, whoever else is being added: 402 with the figure', async () => {
    const admin = await newTenant();
    await app.owner.query(`update tenants set quotas = '{"users": 4}' where id = $1`, [admin.tenantId]);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => admin.http.post<{ error: string }>('/users', draft())),
    );
    const refused = answers.filter(({ status }) => status !== 201);
    expect(answers.length - refused.length).toBe(3); // and the administrator
    expect(new Set(refused.map(({ outcome }) => outcome))).toEqual(new Set(['402 PLAN_LIMIT_REACHED']));
    expect(refused[0]?.body.error).toContain('4');
  });

  it('lets an API key that may only administer users make nobody who may more', async () => {
    const admin = await newTenant();
    const { body } = await admin.http.post<{ key: string }>('/api-keys', { name: 'hr', scopes: ['users:manage'] });
    const key = app.anybody.with({ 'x-api-key': body.key });
    for (const role of ['TENANT_ADMIN', 'AGENT'])
      expect((await key.post('/users', draft({ role }))).outcome).toBe('403 FORBIDDEN');
    expect((await key.delete(`/users/${admin.userId}`)).outcome).toBe('403 FORBIDDEN');
  });
});

describe('GET /users', () => {
  it('lists newest first, filtered, page by page', async () => {
    const admin = await newTenant();
    const users = [];
    for (const role of ['AGENT', 'MANAGER', 'AGENT', 'AUDITOR']) users.push(await add(admin, { role }));
    await admin.http.call('PATCH', `/users/${users[2]?.id}`, { status: 'inactive' });
    const idsOf = async (query: string) =>
      (await admin.http.get<UserResponse[]>(`/users?${query}`)).body.map(({ id }) => id);
    const ids = users.map(({ id }) => id);
    expect((await idsOf('limit=4')).sort()).toEqual([...ids].sort());
    expect(await idsOf('role=AGENT')).toEqual([ids[2], ids[0]]);
    expect(await idsOf('role=AGENT&status=inactive')).toEqual([ids[2]]);
    expect(await idsOf(`q=${users[3]?.email.slice(0, -8).toUpperCase()}`)).toEqual([ids[3]]);
    const page = await admin.http.get<UserResponse[]>('/users?limit=2&count=true');
    expect(page.headers.get('x-total-count')).toBe('5');
    const next = /^<([^>]+)>/.exec(page.headers.get('link') ?? '')?.[1] ?? '';
    expect((await admin.http.get<UserResponse[]>(next)).body.map(({ id }) => id)).toEqual([ids[1], ids[0]]);
  });

  it('takes wildcards in q for what they are', async () => {
    const admin = await newTenant();
    await add(admin, { name: 'A 100%_sure\\one' });
    const namesOf = async (q: string) =>
      (await admin.http.get<UserResponse[]>(`/users?q=${encodeURIComponent(q)}`)).body.map(({ name }) => name);
    expect(await namesOf('100%_SURE\\')).toEqual(['A 100%_sure\\one']);
    expect(await namesOf('A%one')).toEqual([]);
    expect(await namesOf('_')).toEqual(['A 100%_sure\\one']);
  });

  it('shows a MANAGER and an AUDITOR one user, an AGENT none, and nobody another tenant’s', async () => {
    const admin = await newTenant();
    const user = await add(admin);
    const at = async (role: 'MANAGER' | 'AUDITOR' | 'AGENT') =>
      (await (await app.login(role, admin.tenantId)).http.get(`/users/${user.id}`)).outcome;
    expect([await at('MANAGER'), await at('AUDITOR'), await at('AGENT')]).toEqual(['200', '200', '403 FORBIDDEN']);
    const stranger = await newTenant();
    for (const id of [user.id, NOBODYS])
      expect((await stranger.http.get(`/users/${id}`)).outcome).toBe('404 NOT_FOUND');
    expect((await admin.http.get('/users/jane')).outcome).toBe('400 VALIDATION_FAILED');
  });
});

describe.each(['PUT', 'PATCH'])('%s /users/:id', (method) => {
  it('changes what is named, and says what it changed and nothing more', async () => {
    const admin = await newTenant();
    const user = await add(admin);
    const answer = await admin.http.call<UserResponse>(method, `/users/${user.id}`, {
      name: 'New name',
      role: 'MANAGER',
    });
    expect(answer.body).toMatchObject({ name: 'New name', role: 'MANAGER', status: 'active', email: user.email });
    const [, record] = await recordsOf(user.id);
    expect([record?.action, record?.metadata]).toEqual([
      'USER_UPDATED',
      { fields: ['name', 'role'], role: { from: 'AGENT', to: 'MANAGER' } },
    ]);
    await admin.http.call(method, `/users/${user.id}`, { role: 'MANAGER' });
    expect(await recordsOf(user.id)).toHaveLength(2);
  });

  it('refuses a change that is meant for another state: 412', async () => {
    const admin = await newTenant();
    const { id } = await add(admin);
    const etag = (await admin.http.get(`/users/${id}`)).headers.get('etag') ?? '';
    expect(etag).toMatch(/^"\d+"$/);
    const change = (name: string, tag: string) =>
      admin.http.call<UserResponse>(method, `/users/${id}`, { name }, { headers: { 'if-match': tag } });
    const first = await change('first', etag);
    expect([first.status, first.headers.get('etag') === etag]).toEqual([200, false]);
    expect((await change('second', etag)).outcome).toBe('412 PRECONDITION_FAILED');
    expect((await change('third', '*')).body.name).toBe('third');
    expect((await admin.http.delete(`/users/${id}`, { headers: { 'if-match': etag } })).outcome).toBe(
      '412 PRECONDITION_FAILED',
    );
  });

  it.each([
    { email: 'new@team.example' },
    { role: 'OWNER' },
    { status: 'gone' },
    { name: ' ' },
    { password: PASSWORD },
  ])('refuses %j: 400', async (body) => {
    const admin = await newTenant();
    const { id } = await add(admin);
    expect((await admin.http.call(method, `/users/${id}`, body)).outcome).toBe('400 VALIDATION_FAILED');
  });

  it('takes effect on the next request of whoever is logged in', async () => {
    const admin = await newTenant();
    const user = await app.login('MANAGER', admin.tenantId);
    expect((await user.http.get('/users')).status).toBe(200);
    await admin.http.call(method, `/users/${user.userId}`, { role: 'AGENT' });
    expect((await user.http.get('/users')).outcome).toBe('403 FORBIDDEN');
    await admin.http.call(method, `/users/${user.userId}`, { status: 'inactive' });
    expect((await user.http.get('/messages')).outcome).toBe('401 AUTHENTICATION_FAILED');
    // Its logins have ended for good: being active again revives none of them.
    await admin.http.call(method, `/users/${user.userId}`, { status: 'active' });
    expect((await user.http.get('/messages')).outcome).toBe('401 AUTHENTICATION_FAILED');
  });
});

describe('the last active TENANT_ADMIN', () => {
  it('is not demoted, deactivated or removed: 409', async () => {
    const admin = await newTenant();
    const path = `/users/${admin.userId}`;
    const inactive = await add(admin, { role: 'TENANT_ADMIN' });
    await admin.http.call('PATCH', `/users/${inactive.id}`, { status: 'inactive' });
    expect((await admin.http.call('PATCH', path, { role: 'MANAGER' })).outcome).toBe('409 LAST_ADMIN');
    expect((await admin.http.call('PUT', path, { status: 'inactive' })).outcome).toBe('409 LAST_ADMIN');
    expect((await admin.http.delete(path)).outcome).toBe('409 LAST_ADMIN');
    expect((await admin.http.call('PATCH', path, { name: 'Still here' })).status).toBe(200);
    await add(admin, { role: 'TENANT_ADMIN' });
    expect((await admin.http.delete(path)).status).toBe(204);
  });

  it('stays when two administrators remove each other at once, in whatever way', async () => {
    const ways: [string, object | undefined][] = [
      ['DELETE', undefined],
      ['PATCH', { role: 'AGENT' }],
      ['PATCH', { status: 'inactive' }],
    ];
    for (const [method, body] of [...ways, ...ways]) {
      const one = await newTenant();
      const two = await app.login('TENANT_ADMIN', one.tenantId);
      const answers = await Promise.all([
        one.http.call(method, `/users/${two.userId}`, body),
        two.http.call(method, `/users/${one.userId}`, body),
      ]);
      const succeeded = answers.filter(({ status }) => status < 300);
      expect([method, succeeded.length]).toEqual([method, 1]);
      const { rows } = await app.owner.query(
        `select count(*)::int as admins from users where tenant_id = $1 and role = 'TENANT_ADMIN' and status = 'active'`,
        [one.tenantId],
      );
      expect(rows).toEqual([{ admins: 1 }]);
    }
  });
});

describe('DELETE /users/:id', () => {
  it('ends the logins, frees the email and keeps the name in the audit trail', async () => {
    const admin = await newTenant();
    const user = await add(admin, { name: 'Gone Girl' });
    const { body } = await logIn(user.email, admin.tenantId);
    const http = app.anybody.with({ authorization: `Bearer ${body.access_token}` });
    expect((await http.get('/users/me')).status).toBe(200);
    expect((await admin.http.delete(`/users/${user.id}`)).status).toBe(204);
    expect((await http.get('/users/me')).outcome).toBe('401 AUTHENTICATION_FAILED');
    const refreshed = await app.anybody.post('/auth/refresh', { refresh_token: body.refresh_token });
    expect(refreshed.outcome).toBe('401 AUTHENTICATION_FAILED');
    expect((await admin.http.get(`/users/${user.id}`)).outcome).toBe('404 NOT_FOUND');
    expect((await admin.http.delete(`/users/${user.id}`)).outcome).toBe('404 NOT_FOUND');
    expect((await admin.http.post('/users', draft({ email: user.email }))).status).toBe(201);
    const record = (await recordsOf(user.id)).find(({ action }) => action === 'USER_DELETED');
    expect(JSON.parse(record?.personal ?? '')).toMatchObject({ name: 'Gone Girl', email: user.email });
  });
});
