import { newId } from '../../src/common/ids';
import type { FoundedTenantResponse } from '../../src/modules/auth/dto/founded-tenant.response';
import type { ManagedTenantResponse } from '../../src/modules/tenants/dto/managed-tenant.response';
import type { ErrorBody } from '../../src/platform/http/error-body';
import { makeKey } from '../support/api-keys';
import { auditRecords } from '../support/audit-records';
import type { HttpClient } from '../support/http-client';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';

const ADMIN_API_KEY = 'the platform administrator of the tests';
const PLATFORM = '00000000-0000-0000-0000-000000000000';
const PASSWORD = 'a long way to Tipperary';
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let app: TestApp;
let platform: HttpClient;
let admin: LoggedIn;
let next = 0;

beforeAll(async () => {
  app = await startTestApp({ config: { ADMIN_API_KEY } });
  platform = app.anybody.with({ 'x-api-key': ADMIN_API_KEY });
  admin = await app.login('TENANT_ADMIN');
});

afterAll(() => app.close());

const terms = (more: object = {}) => {
  next += 1;
  const owner = { email: `owner${next}@acme.example`, password: PASSWORD, name: 'Olive Owner' };
  return { name: `Acme ${next}`, slug: `acme-${next}`, admin: owner, ...more };
};

async function founded(more: object = {}): Promise<FoundedTenantResponse> {
  const answer = await platform.post<FoundedTenantResponse>('/tenants', terms(more));
  if (answer.status !== 201) throw new Error(`Founding a tenant gave ${answer.outcome}: ${answer.text}`);
  return answer.body;
}

const patch = (id: string, body: object, headers: Record<string, string> = {}) =>
  platform.call<ManagedTenantResponse & ErrorBody>('PATCH', `/tenants/${id}`, body, { headers });

async function login(email: string, tenant: string): Promise<HttpClient> {
  const answer = await app.anybody.post<{ access_token: string }>('/auth/login', { email, password: PASSWORD, tenant });
  if (answer.status !== 200) throw new Error(`Logging in gave ${answer.outcome}`);
  return app.anybody.with({ authorization: `Bearer ${answer.body.access_token}` });
}

describe('who administers tenants', () => {
  it.each([
    ['GET', '/tenants'],
    ['POST', '/tenants'],
    ['GET', `/tenants/${newId()}`],
    ['PATCH', `/tenants/${newId()}`],
  ])('is the platform alone: %s %s', async (method, path) => {
    const body = method === 'GET' ? undefined : {};
    expect((await app.anybody.call(method, path, body)).outcome).toBe('401 AUTHENTICATION_FAILED');
    expect((await admin.http.call(method, path, body)).outcome).toBe('403 FORBIDDEN');
    const key = await makeKey(app, admin.http);
    expect((await key.http.call(method, path, body)).outcome).toBe('403 FORBIDDEN');
  });
});

describe('POST /tenants', () => {
  it('founds a tenant with its first administrator, who can log in at once', async () => {
    const order = terms({
      plan: 'starter',
      quotas: { users: 4, sessions: null },
      settings: { currency: 'BRL', time_zone: 'america/sao_paulo', default_pace: { per_minute: 7 } },
    });
    const answer = await platform.post<FoundedTenantResponse>('/tenants', order);
    expect([answer.status, answer.headers.get('etag')]).toEqual([201, '"1"']);
    const { id } = answer.body;
    expect(answer.body).toEqual({
      id,
      name: order.name,
      slug: order.slug,
      plan: 'starter',
      status: 'active',
      quotas: { users: 4, sessions: null },
      limits: {
        messages_per_day: 5_000,
        sessions: null,
        users: 4,
        storage_bytes: 10 * 1024 ** 3,
        requests_per_minute: 600,
      },
      settings: expect.objectContaining({
        currency: 'BRL',
        time_zone: 'America/Sao_Paulo',
        default_pace: { per_minute: 7, burst: 5, jitter_ms: 1_500 },
      }),
      created_at: expect.stringMatching(RFC_3339),
      updated_at: expect.stringMatching(RFC_3339),
      admin: expect.objectContaining({
        email: order.admin.email,
        name: 'Olive Owner',
        role: 'TENANT_ADMIN',
        tenant_id: id,
      }),
    });
    expect(answer.text).not.toContain(PASSWORD);
    const own = await (await login(order.admin.email, order.slug)).get<{ id: string }>('/tenants/current');
    expect([own.status, own.body.id]).toEqual([200, id]);
  });

  it('gives the plan `unlimited` and the administrator the name of its mailbox where nothing is said', async () => {
    const order = terms();
    const { email, password } = order.admin;
    const { plan, admin: first } = await founded({ ...order, admin: { email, password } });
    expect([plan, first.name]).toEqual(['unlimited', email.split('@')[0]]);
  });

  it('records it in the chain of the tenant and in that of the platform, without the password', async () => {
    const { id, slug, admin: first } = await founded();
    const of = async (action: string, resource: string) =>
      (await auditRecords(app.owner, [action], resource)).map((it) => [it.tenant_id, it.actor_kind, it.metadata]);
    const made = { slug, plan: 'unlimited' };
    expect(await of('TENANT_CREATED', `tenant:${id}`)).toEqual([
      [id, 'platform', made],
      [PLATFORM, 'platform', made],
    ]);
    expect(await of('USER_CREATED', `user:${first.id}`)).toEqual([
      [id, 'platform', { role: 'TENANT_ADMIN' }],
      [PLATFORM, 'platform', { role: 'TENANT_ADMIN' }],
    ]);
    const { rows } = await app.owner.query('select 1 from audit_logs l where position($1 in l::text) > 0', [PASSWORD]);
    expect(rows).toEqual([]);
  });

  it('lets one email administer several tenants', async () => {
    const first = await founded();
    const second = await founded({ admin: { email: first.admin.email, password: PASSWORD } });
    expect((await (await login(first.admin.email, second.slug)).get('/tenants/current')).status).toBe(200);
  });

  it.each<[string, object, string]>([
    ['without a name', { name: undefined }, 'name'],
    ['with a blank name', { name: ' ' }, 'name'],
    ['without a slug', { slug: undefined }, 'slug'],
    ['with capitals in its slug', { slug: 'Acme' }, 'slug'],
    ['with a slug of one letter', { slug: 'a' }, 'slug'],
    ['with a slug too long', { slug: 'a'.repeat(64) }, 'slug'],
    ['with a slug that begins with a hyphen', { slug: '-acme' }, 'slug'],
    ['with a slug that could be an id', { slug: newId() }, 'slug'],
    ['of an unknown plan', { plan: 'gold' }, 'plan'],
    ['with a negative quota', { quotas: { users: -1 } }, 'quotas.users'],
    ['with half a quota', { quotas: { users: 1.5 } }, 'quotas.users'],
    ['with an unknown quota', { quotas: { cars: 1 } }, 'quotas.cars'],
    ['with quotas that are none', { quotas: null }, 'quotas'],
    ['with an unknown currency', { settings: { currency: 'XYZ' } }, 'settings.currency'],
    ['with an unknown setting', { settings: { colour: 'red' } }, 'settings.colour'],
    ['without an administrator', { admin: undefined }, 'admin'],
    ['with an administrator without email', { admin: { password: PASSWORD } }, 'admin.email'],
    ['with a password too short', { admin: { email: 'a@b.example', password: 'short' } }, 'admin.password'],
    ['with a common password', { admin: { email: 'a@b.example', password: '1234567890' } }, 'admin.password'],
    ['with a status', { status: 'suspended' }, 'status'],
    ['with an id', { id: newId() }, 'id'],
  ])('refuses one %s', async (_what, more, field) => {
    const answer = await platform.post<ErrorBody>('/tenants', terms(more));
    expect(answer.outcome).toBe('400 VALIDATION_FAILED');
    expect(answer.body.details?.map((detail) => detail.field)).toContain(field);
  });

  it('refuses a slug that is taken, and the reserved one, and leaves nothing behind', async () => {
    const { slug } = await founded();
    const order = terms({ slug });
    expect((await platform.post('/tenants', order)).outcome).toBe('409 SLUG_TAKEN');
    expect((await platform.post('/tenants', terms({ slug: 'demo' }))).outcome).toBe('409 SLUG_TAKEN');
    const { rows } = await app.owner.query('select 1 from users where email = $1', [order.admin.email]);
    expect(rows).toEqual([]);
  });

  it('gives a slug that several want at once to exactly one', async () => {
    const slug = `race-${newId().slice(-6)}`;
    const answers = await Promise.all(Array.from({ length: 6 }, () => platform.post('/tenants', terms({ slug }))));
    expect(answers.map(({ outcome }) => outcome).sort()).toEqual(['201', ...Array<string>(5).fill('409 SLUG_TAKEN')]);
    const { rows } = await app.owner.query(
      'select 1 from users u join tenants t on t.id = u.tenant_id where t.slug = $1',
      [slug],
    );
    expect(rows).toHaveLength(1);
  });
});

describe('GET /tenants', () => {
  const list = async (query: string) => (await platform.get<ManagedTenantResponse[]>(`/tenants?${query}`)).body;

  it('lists page by page, newest first, and filters', async () => {
    const mark = newId().slice(-8);
    const first = await founded({ name: `One ${mark}`, plan: 'free' });
    const second = await founded({ name: 'Two', slug: `two-${mark}`, plan: 'business' });
    const third = await founded({ name: `Three ${mark}`, plan: 'free' });
    await patch(third.id, { status: 'suspended' });
    const ids = async (query: string) => (await list(query)).map(({ id }) => id);
    expect(await ids(`q=${mark.toUpperCase()}`)).toEqual([third.id, second.id, first.id]);
    expect(await ids(`q=${mark}&plan=free`)).toEqual([third.id, first.id]);
    expect(await ids(`q=${mark}&status=active`)).toEqual([second.id, first.id]);
    const page = await platform.get<ManagedTenantResponse[]>(`/tenants?q=${mark}&limit=2&count=true`);
    expect([page.body.map(({ id }) => id), page.headers.get('x-total-count')]).toEqual([[third.id, second.id], '3']);
    const link = /<(.+)>/.exec(page.headers.get('link') ?? '')?.[1] ?? '';
    expect((await platform.get<ManagedTenantResponse[]>(link)).body.map(({ id }) => id)).toEqual([first.id]);
    const { admin: _, ...seen } = first;
    expect((await list(`q=${mark}`)).at(-1)).toEqual(seen);
  });

  it('takes a wildcard for what it is, text', async () => {
    expect(await list('q=%25')).toEqual([]);
  });

  it.each(['status=deleted', 'plan=gold', 'q=', 'colour=red', 'limit=0'])('refuses %s', async (query) => {
    expect((await platform.get(`/tenants?${query}`)).outcome).toBe('400 VALIDATION_FAILED');
  });
});

describe('GET /tenants/:id', () => {
  it('gives one, with its ETag', async () => {
    const { admin: _, ...seen } = await founded();
    const answer = await platform.get(`/tenants/${seen.id}`);
    expect([answer.body, answer.headers.get('etag')]).toEqual([seen, '"1"']);
  });

  it('knows no other, and no id that is none', async () => {
    expect((await platform.get(`/tenants/${newId()}`)).outcome).toBe('404 NOT_FOUND');
    expect((await platform.get('/tenants/acme')).outcome).toBe('400 VALIDATION_FAILED');
  });
});

describe('PATCH /tenants/:id', () => {
  it('changes what is named and nothing else, and grows the version', async () => {
    const before = await founded({ plan: 'free', quotas: { users: 9 }, settings: { currency: 'USD' } });
    const answer = await patch(before.id, { name: 'Renamed', plan: 'business', settings: { time_zone: 'Asia/Tokyo' } });
    expect([answer.status, answer.headers.get('etag')]).toEqual([200, '"2"']);
    expect(answer.body).toMatchObject({ name: 'Renamed', slug: before.slug, plan: 'business', quotas: { users: 9 } });
    expect(answer.body.settings).toEqual({ ...before.settings, time_zone: 'Asia/Tokyo' });
    expect(answer.body.limits).toMatchObject({ users: 9, sessions: 25 });
    const read = await platform.get(`/tenants/${before.id}`);
    expect([read.body, read.headers.get('etag')]).toEqual([answer.body, '"2"']);
  });

  it('replaces the quotas as a whole, so that the plan’s bound can come back', async () => {
    const { id } = await founded({ plan: 'free', quotas: { users: 9, sessions: null } });
    const { body } = await patch(id, { quotas: { sessions: 2 } });
    expect([body.quotas, body.limits.users, body.limits.sessions]).toEqual([{ sessions: 2 }, 3, 2]);
  });

  it('renames: the new slug selects the tenant, and the old one is free', async () => {
    const { id, slug } = await founded();
    await patch(id, { slug: `${slug}-new` });
    const at = (named: string) => app.anybody.with({ 'x-api-key': ADMIN_API_KEY, 'x-tenant-id': named });
    expect((await at(`${slug}-new`).get('/users/me')).outcome).not.toBe('404 TENANT_NOT_FOUND');
    expect((await at(slug).get('/messages')).outcome).toBe('404 TENANT_NOT_FOUND');
    expect((await founded({ slug })).slug).toBe(slug);
  });

  it('records the names of the fields in both chains, and plan and status from and to', async () => {
    const { id } = await founded({ plan: 'free' });
    await patch(id, { name: 'Other', plan: 'starter', status: 'suspended', settings: { currency: 'JPY' } });
    const records = await auditRecords(app.owner, ['TENANT_UPDATED'], `tenant:${id}`);
    const metadata = {
      fields: ['name', 'plan', 'status', 'settings.currency'],
      plan: { from: 'free', to: 'starter' },
      status: { from: 'active', to: 'suspended' },
    };
    expect(records.map((it) => [it.tenant_id, it.actor_kind, it.metadata])).toEqual([
      [id, 'platform', metadata],
      [PLATFORM, 'platform', metadata],
    ]);
    expect(records[0]?.personal).toMatchObject({ name: 'Other' });
  });

  it('leaves everything as it is, and records nothing, where nothing changes', async () => {
    const { id, name, slug, plan } = await founded();
    const answer = await patch(id, { name, slug, plan, status: 'active', settings: { currency: 'EUR' } });
    expect([answer.status, answer.headers.get('etag')]).toEqual([200, '"1"']);
    expect(await auditRecords(app.owner, ['TENANT_UPDATED'], `tenant:${id}`)).toEqual([]);
  });

  it('refuses a change that was meant for another state', async () => {
    const { id } = await founded();
    expect((await patch(id, { name: 'A' }, { 'if-match': '"1"' })).status).toBe(200);
    expect((await patch(id, { name: 'B' }, { 'if-match': '"1"' })).outcome).toBe('412 PRECONDITION_FAILED');
    expect((await patch(id, { name: 'C' }, { 'if-match': '*' })).status).toBe(200);
  });

  it('lets one of two that change the same state at once through', async () => {
    const { id } = await founded();
    const answers = await Promise.all(['A', 'B'].map((name) => patch(id, { name }, { 'if-match': '"1"' })));
    expect(answers.map(({ outcome }) => outcome).sort()).toEqual(['200', '412 PRECONDITION_FAILED']);
  });

  it('refuses a slug that another has, and the reserved one', async () => {
    const [one, two] = [await founded(), await founded()];
    expect((await patch(one.id, { slug: two.slug })).outcome).toBe('409 SLUG_TAKEN');
    expect((await patch(one.id, { slug: 'demo' })).outcome).toBe('409 SLUG_TAKEN');
    const read = await platform.get<ManagedTenantResponse>(`/tenants/${one.id}`);
    expect([read.body.slug, read.headers.get('etag')]).toEqual([one.slug, '"1"']);
    expect(await auditRecords(app.owner, ['TENANT_UPDATED'], `tenant:${one.id}`)).toEqual([]);
  });

  it.each<[object, string]>([
    [{ name: null }, 'name'],
    [{ slug: 'A B' }, 'slug'],
    [{ status: 'deleted' }, 'status'],
    [{ plan: null }, 'plan'],
    [{ version: 7 }, 'version'],
    [{ admin: {} }, 'admin'],
    [{ settings: { time_zone: 'Mars/Olympus' } }, 'settings.time_zone'],
  ])('refuses %j', async (body, field) => {
    const { id } = await founded();
    const answer = await patch(id, body);
    expect([answer.outcome, answer.body.details?.map((detail) => detail.field)]).toEqual([
      '400 VALIDATION_FAILED',
      [field],
    ]);
  });

  it('knows no other, and no id that is none', async () => {
    expect((await patch(newId(), { name: 'x' })).outcome).toBe('404 NOT_FOUND');
    expect((await patch('acme', { name: 'x' })).outcome).toBe('400 VALIDATION_FAILED');
  });
});

describe('a suspended tenant', () => {
  it('lets neither its users nor its keys in from the next request on, until it is active again', async () => {
    const { id, slug, admin: first } = await founded();
    const http = await login(first.email, slug);
    const key = await makeKey(app, http);
    const outcomes = async () => [(await http.get('/messages')).outcome, (await key.http.get('/messages')).outcome];
    expect(await outcomes()).toEqual(['200', '200']);
    await patch(id, { status: 'suspended' });
    expect(await outcomes()).toEqual(['401 AUTHENTICATION_FAILED', '401 AUTHENTICATION_FAILED']);
    const attempt = { email: first.email, password: PASSWORD, tenant: slug };
    expect((await app.anybody.post('/auth/login', attempt)).outcome).toBe('401 AUTHENTICATION_FAILED');
    await patch(id, { status: 'active' });
    expect((await key.http.get('/messages')).outcome).toBe('200');
    expect((await (await login(first.email, slug)).get('/messages')).outcome).toBe('200');
  });
});

describe('a tenant that is being deleted', () => {
  it('is found by nobody, and its slug is not free yet', async () => {
    const { id, slug, name } = await founded();
    await app.owner.query(`update tenants set deleted_at = now(), status = 'suspended' where id = $1`, [id]);
    expect((await platform.get(`/tenants/${id}`)).outcome).toBe('404 NOT_FOUND');
    expect((await patch(id, { status: 'active' })).outcome).toBe('404 NOT_FOUND');
    expect((await platform.get<unknown[]>(`/tenants?q=${encodeURIComponent(name)}`)).body).toEqual([]);
    for (const named of [id, slug])
      expect((await platform.with({ 'x-tenant-id': named }).get('/messages')).outcome).toBe('404 TENANT_NOT_FOUND');
    expect((await platform.post('/tenants', terms({ slug }))).outcome).toBe('409 SLUG_TAKEN');
  });
});
