import { newId } from '../../src/common/ids';
import type { ManagedTenantResponse } from '../../src/modules/tenants/dto/managed-tenant.response';
import type { ErrorBody } from '../../src/platform/http/error-body';
import { makeKey } from '../support/api-keys';
import { auditRecords } from '../support/audit-records';
import type { HttpClient } from '../support/http-client';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { asListed, foundTenant, OWNER_PASSWORD, ownerOf, tenantTerms } from '../support/tenants';

const ADMIN_API_KEY = 'the platform administrator of the tests';
const PLATFORM = '00000000-0000-0000-0000-000000000000';

let app: TestApp;
let platform: HttpClient;
let admin: LoggedIn;

beforeAll(async () => {
  app = await startTestApp({ config: { ADMIN_API_KEY } });
  platform = app.anybody.with({ 'x-api-key': ADMIN_API_KEY });
  admin = await app.login('TENANT_ADMIN');
});

afterAll(() => app.close());

const patch = (id: string, body: object, headers: Record<string, string> = {}) =>
  platform.call<ManagedTenantResponse & ErrorBody>('PATCH', `/tenants/${id}`, body, { headers });

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

describe('GET /tenants', () => {
  const list = async (query: string) => (await platform.get<ManagedTenantResponse[]>(`/tenants?${query}`)).body;

  it('lists page by page, newest first, and filters', async () => {
    const mark = newId().slice(-8);
    const first = await foundTenant(platform, { name: `One ${mark}`, plan: 'free' });
    const second = await foundTenant(platform, { name: 'Two', slug: `two-${mark}`, plan: 'business' });
    const third = await foundTenant(platform, { name: `Three ${mark}`, plan: 'free' });
    await patch(third.id, { status: 'suspended' });
    const ids = async (query: string) => (await list(query)).map(({ id }) => id);
    expect(await ids(`q=${mark.toUpperCase()}`)).toEqual([third.id, second.id, first.id]);
    expect(await ids(`q=${mark}&plan=free`)).toEqual([third.id, first.id]);
    expect(await ids(`q=${mark}&status=active`)).toEqual([second.id, first.id]);
    const page = await platform.get<ManagedTenantResponse[]>(`/tenants?q=${mark}&limit=2&count=true`);
    expect([page.body.map(({ id }) => id), page.headers.get('x-total-count')]).toEqual([[third.id, second.id], '3']);
    const link = /<(.+)>/.exec(page.headers.get('link') ?? '')?.[1] ?? '';
    expect((await platform.get<ManagedTenantResponse[]>(link)).body.map(({ id }) => id)).toEqual([first.id]);
    const seen = asListed(first);
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
    const seen = asListed(await foundTenant(platform));
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
    const before = await foundTenant(platform, { plan: 'free', quotas: { users: 9 }, settings: { currency: 'USD' } });
    const answer = await patch(before.id, { name: 'Renamed', plan: 'business', settings: { time_zone: 'Asia/Tokyo' } });
    expect([answer.status, answer.headers.get('etag')]).toEqual([200, '"2"']);
    expect(answer.body).toMatchObject({ name: 'Renamed', slug: before.slug, plan: 'business', quotas: { users: 9 } });
    expect(answer.body.settings).toEqual({ ...before.settings, time_zone: 'Asia/Tokyo' });
    expect(answer.body.limits).toMatchObject({ users: 9, sessions: 25 });
    const read = await platform.get(`/tenants/${before.id}`);
    expect([read.body, read.headers.get('etag')]).toEqual([answer.body, '"2"']);
  });

  it('replaces the quotas as a whole, so that the plan’s bound can come back', async () => {
    const { id } = await foundTenant(platform, { plan: 'free', quotas: { users: 9, sessions: null } });
    const { body } = await patch(id, { quotas: { sessions: 2 } });
    expect([body.quotas, body.limits.users, body.limits.sessions]).toEqual([{ sessions: 2 }, 3, 2]);
  });

  it('renames: the new slug selects the tenant, and the old one is free', async () => {
    const { id, slug } = await foundTenant(platform);
    await patch(id, { slug: `${slug}-new` });
    const at = (named: string) => app.anybody.with({ 'x-api-key': ADMIN_API_KEY, 'x-tenant-id': named });
    expect((await at(`${slug}-new`).get('/users/me')).outcome).not.toBe('404 TENANT_NOT_FOUND');
    expect((await at(slug).get('/messages')).outcome).toBe('404 TENANT_NOT_FOUND');
    expect((await foundTenant(platform, { slug })).slug).toBe(slug);
  });

  it('records the names of the fields in both chains, and plan and status from and to', async () => {
    const { id } = await foundTenant(platform, { plan: 'free' });
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
    const { id, name, slug, plan } = await foundTenant(platform);
    const answer = await patch(id, { name, slug, plan, status: 'active', settings: { currency: 'EUR' } });
    expect([answer.status, answer.headers.get('etag')]).toEqual([200, '"1"']);
    expect(await auditRecords(app.owner, ['TENANT_UPDATED'], `tenant:${id}`)).toEqual([]);
  });

  it('refuses a change that was meant for another state', async () => {
    const { id } = await foundTenant(platform);
    expect((await patch(id, { name: 'A' }, { 'if-match': '"1"' })).status).toBe(200);
    expect((await patch(id, { name: 'B' }, { 'if-match': '"1"' })).outcome).toBe('412 PRECONDITION_FAILED');
    expect((await patch(id, { name: 'C' }, { 'if-match': '*' })).status).toBe(200);
  });

  it('lets one of two that change the same state at once through', async () => {
    const { id } = await foundTenant(platform);
    const answers = await Promise.all(['A', 'B'].map((name) => patch(id, { name }, { 'if-match': '"1"' })));
    expect(answers.map(({ outcome }) => outcome).sort()).toEqual(['200', '412 PRECONDITION_FAILED']);
  });

  it('refuses a slug that another has, and the reserved one', async () => {
    const [one, two] = [await foundTenant(platform), await foundTenant(platform)];
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
    const { id } = await foundTenant(platform);
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
    const { id, slug, admin: first } = await foundTenant(platform);
    const http = await ownerOf(app, { email: first.email, tenant: slug });
    const key = await makeKey(app, http);
    const outcomes = async () => [(await http.get('/messages')).outcome, (await key.http.get('/messages')).outcome];
    expect(await outcomes()).toEqual(['200', '200']);
    await patch(id, { status: 'suspended' });
    expect(await outcomes()).toEqual(['401 AUTHENTICATION_FAILED', '401 AUTHENTICATION_FAILED']);
    const attempt = { email: first.email, password: OWNER_PASSWORD, tenant: slug };
    expect((await app.anybody.post('/auth/login', attempt)).outcome).toBe('401 AUTHENTICATION_FAILED');
    await patch(id, { status: 'active' });
    expect((await key.http.get('/messages')).outcome).toBe('200');
    expect((await (await ownerOf(app, { email: first.email, tenant: slug })).get('/messages')).outcome).toBe('200');
  });
});

describe('a tenant that is being deleted', () => {
  it('is found by nobody, and its slug is not free yet', async () => {
    const { id, slug, name } = await foundTenant(platform);
    await app.owner.query(`update tenants set deleted_at = now(), status = 'suspended' where id = $1`, [id]);
    expect((await platform.get(`/tenants/${id}`)).outcome).toBe('404 NOT_FOUND');
    expect((await patch(id, { status: 'active' })).outcome).toBe('404 NOT_FOUND');
    expect((await platform.get<unknown[]>(`/tenants?q=${encodeURIComponent(name)}`)).body).toEqual([]);
    for (const named of [id, slug])
      expect((await platform.with({ 'x-tenant-id': named }).get('/messages')).outcome).toBe('404 TENANT_NOT_FOUND');
    expect((await platform.post('/tenants', tenantTerms({ slug }))).outcome).toBe('409 SLUG_TAKEN');
  });
});
