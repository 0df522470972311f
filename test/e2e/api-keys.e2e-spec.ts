import { createHash } from 'node:crypto';
import { SCOPES } from '../../src/common/permissions';
import type { ApiKeyResponse, FreshApiKeyResponse } from '../../src/modules/api-keys/dto/api-key.response';
import type { ErrorBody } from '../../src/platform/http/error-body';
import { makeKey } from '../support/api-keys';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const HOUR = 3_600_000;

let app: TestApp;
let admin: LoggedIn;

beforeAll(async () => {
  app = await startTestApp();
  admin = await app.login('TENANT_ADMIN');
});

afterAll(() => app.close());

const records = async (id: string) => {
  const text = `select action, actor_kind, actor_id, metadata, personal from audit_logs where resource = $1 order by at, id`;
  return (await app.owner.query<Record<string, unknown>>(text, [`api-key:${id}`])).rows;
};

describe('POST /api-keys', () => {
  it('makes a key and shows it this once, and keeps its hash alone', async () => {
    const answer = await admin.http.post<FreshApiKeyResponse>('/api-keys', { name: ' Web shop ', role: 'MANAGER' });
    expect([answer.status, answer.headers.get('cache-control'), answer.headers.get('etag')]).toEqual([
      201,
      'no-store',
      '"1"',
    ]);
    const { id, key, prefix } = answer.body;
    expect(answer.body).toEqual({
      id: expect.any(String),
      name: 'Web shop',
      prefix: expect.stringMatching(/^sbk_[a-z2-9]{8}$/),
      role: 'MANAGER',
      scopes: null,
      expires_at: null,
      requests_per_minute: null,
      allowed_cidrs: [],
      previous_key_until: null,
      last_used_at: null,
      created_by: admin.userId,
      created_at: expect.stringMatching(RFC_3339),
      updated_at: expect.stringMatching(RFC_3339),
      key: expect.stringMatching(/^sbk_[a-z2-9]{8}_[\w-]{43}$/),
    });
    expect(key.startsWith(`${prefix}_`)).toBe(true);
    const { rows } = await app.owner.query<{ row: string; key_hash: Buffer }>(
      'select k::text as row, key_hash from api_keys k where id = $1',
      [id],
    );
    const secret = Buffer.from(key.slice(prefix.length + 1), 'base64url');
    expect(rows[0]?.key_hash).toEqual(createHash('sha256').update(secret).digest());
    expect(rows[0]?.row).not.toContain(key.slice(prefix.length + 1));
    expect(rows[0]?.row).not.toContain(secret.toString('hex'));
  });

  it('takes scopes, an end, a rate and addresses', async () => {
    const end = inMs(HOUR);
    const key = await makeKey(app, admin.http, {
      scopes: ['messages:read', 'introspect'],
      expires_at: end,
      requests_per_minute: 60,
      allowed_cidrs: ['127.0.0.0/8', '2001:db8::/32', '203.0.113.7'],
    });
    expect(key).toMatchObject({
      role: null,
      scopes: ['messages:read', 'introspect'],
      expires_at: end,
      requests_per_minute: 60,
      allowed_cidrs: ['127.0.0.0/8', '2001:db8::/32', '203.0.113.7'],
    });
    expect((await key.http.get('/messages')).status).toBe(200);
  });

  it.each<[string, object, string]>([
    ['without a name', { role: 'AGENT' }, 'name'],
    ['with a blank name', { name: ' ', role: 'AGENT' }, 'name'],
    ['without role and scopes', { name: 'x' }, 'role'],
    ['with role and scopes', { name: 'x', role: 'AGENT', scopes: ['messages:read'] }, 'role'],
    ['of a role of the platform', { name: 'x', role: 'PLATFORM_ADMIN' }, 'role'],
    ['without any scope', { name: 'x', scopes: [] }, 'scopes'],
    ['with a scope twice', { name: 'x', scopes: ['messages:read', 'messages:read'] }, 'scopes'],
    ['with a scope that is a person’s own', { name: 'x', scopes: ['password:change'] }, 'scopes'],
    ['with a scope of the platform', { name: 'x', scopes: ['tenants:manage'] }, 'scopes'],
    ['with an end in the past', { name: 'x', role: 'AGENT', expires_at: inMs(-1000) }, 'expires_at'],
    ['with an end that is no time', { name: 'x', role: 'AGENT', expires_at: 'tomorrow' }, 'expires_at'],
    ['with no requests a minute', { name: 'x', role: 'AGENT', requests_per_minute: 0 }, 'requests_per_minute'],
    ['with too many', { name: 'x', role: 'AGENT', requests_per_minute: 1_000_001 }, 'requests_per_minute'],
    ['with an address that is none', { name: 'x', role: 'AGENT', allowed_cidrs: ['10.0.0.0/33'] }, 'allowed_cidrs'],
    ['with a field unknown here', { name: 'x', role: 'AGENT', tenant_id: 'y' }, 'tenant_id'],
  ])('refuses one %s', async (_what, body, field) => {
    const answer = await admin.http.post<ErrorBody>('/api-keys', body);
    expect(answer.outcome).toBe('400 VALIDATION_FAILED');
    expect(answer.body.details?.map((detail) => detail.field)).toContain(field);
  });

  it('offers no Idempotency-Key, because its answer is a secret', async () => {
    const headers = { 'idempotency-key': 'again' };
    const answer = await admin.http.post('/api-keys', { name: 'x', role: 'AGENT' }, { headers });
    expect(answer.outcome).toBe('400 VALIDATION_FAILED');
  });

  it('lets nobody pass on what it does not hold itself', async () => {
    const narrow = await makeKey(app, admin.http, { scopes: ['api-keys:manage', 'messages:read'] });
    const asks = async (rights: object) => (await narrow.http.post('/api-keys', { name: 'x', ...rights })).outcome;
    expect(await asks({ role: 'TENANT_ADMIN' })).toBe('403 FORBIDDEN');
    expect(await asks({ role: 'AGENT' })).toBe('403 FORBIDDEN');
    expect(await asks({ scopes: ['messages:read', 'messages:send'] })).toBe('403 FORBIDDEN');
    expect(await asks({ scopes: ['messages:read'] })).toBe('201');
    expect(await asks({ scopes: ['api-keys:manage'] })).toBe('201');
  });
});

describe('GET /api-keys', () => {
  it('lists the tenant’s keys page by page, newest first, without any key', async () => {
    const tenantId = await app.make.tenant();
    const { http } = await app.login('TENANT_ADMIN', tenantId);
    const made = [await makeKey(app, http), await makeKey(app, http), await makeKey(app, http)];
    const first = await http.get<ApiKeyResponse[]>('/api-keys?limit=2&count=true');
    expect(first.body.map(({ id }) => id)).toEqual([made[2]?.id, made[1]?.id]);
    expect(first.headers.get('x-total-count')).toBe('3');
    const next = /<(.+)>/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    const second = await http.get<ApiKeyResponse[]>(next);
    expect(second.body.map(({ id }) => id)).toEqual([made[0]?.id]);
    for (const { key } of made) expect(first.text + second.text).not.toContain(key.slice(13));
    expect(Object.keys(first.body[0] ?? {})).not.toContain('key');
  });

  it('gives one, with its ETag', async () => {
    const { key, http, ...seen } = await makeKey(app, admin.http);
    expect((await http.get('/messages')).status).toBe(200);
    const answer = await admin.http.get<ApiKeyResponse>(`/api-keys/${seen.id}`);
    expect([answer.body, answer.headers.get('etag')]).toEqual([seen, '"1"']);
    expect(answer.text).not.toContain(key);
  });
});

describe('PATCH /api-keys/:id', () => {
  it('changes what is named, from the next request on', async () => {
    const key = await makeKey(app, admin.http, { role: 'MANAGER' });
    expect((await key.http.get('/waha/sessions')).status).toBe(200);
    const patch = (body: object) => admin.http.call<ApiKeyResponse>('PATCH', `/api-keys/${key.id}`, body);
    const narrowed = await patch({ scopes: ['messages:read'] });
    expect([narrowed.status, narrowed.headers.get('etag')]).toEqual([200, '"2"']);
    expect(narrowed.body).toMatchObject({ role: null, scopes: ['messages:read'], name: 'a key' });
    expect((await key.http.get('/waha/sessions')).outcome).toBe('403 FORBIDDEN');
    const back = await patch({ role: 'MANAGER', name: 'renamed', expires_at: inMs(HOUR), requests_per_minute: 1000 });
    expect(back.body).toMatchObject({ role: 'MANAGER', scopes: null, name: 'renamed', requests_per_minute: 1000 });
    expect((await key.http.get('/waha/sessions')).status).toBe(200);
    const lifted = await patch({ expires_at: null, requests_per_minute: null });
    expect(lifted.body).toMatchObject({ expires_at: null, requests_per_minute: null, role: 'MANAGER' });
    expect((await patch({ allowed_cidrs: ['203.0.113.0/24'] })).status).toBe(200);
    expect((await key.http.get('/waha/sessions')).outcome).toBe('401 AUTHENTICATION_FAILED');
  });

  it('refuses a change that was meant for another state of the key', async () => {
    const key = await makeKey(app, admin.http);
    const patch = (name: string, etag: string) =>
      admin.http.call('PATCH', `/api-keys/${key.id}`, { name }, { headers: { 'if-match': etag } });
    expect((await patch('first', '"1"')).status).toBe(200);
    expect((await patch('second', '"1"')).outcome).toBe('412 PRECONDITION_FAILED');
    expect((await patch('third', '*')).status).toBe(200);
  });

  it('leaves everything as it is, and records nothing, where nothing changes', async () => {
    const key = await makeKey(app, admin.http);
    const answer = await admin.http.call('PATCH', `/api-keys/${key.id}`, { name: key.name, role: key.role });
    expect([answer.status, answer.headers.get('etag')]).toEqual([200, '"1"']);
    expect((await records(key.id)).map(({ action }) => action)).toEqual(['API_KEY_CREATED']);
  });

  it.each<[string, object]>([
    ['role and scopes at once', { role: 'AGENT', scopes: ['messages:read'] }],
    ['no role', { role: null }],
    ['an end in the past', { expires_at: inMs(-1) }],
    ['no name', { name: null }],
  ])('refuses %s', async (_what, body) => {
    const key = await makeKey(app, admin.http);
    expect((await admin.http.call('PATCH', `/api-keys/${key.id}`, body)).outcome).toBe('400 VALIDATION_FAILED');
  });

  it('lets no key raise itself or another, nor touch one that holds more', async () => {
    const narrow = await makeKey(app, admin.http, { scopes: ['api-keys:manage'] });
    const strong = await makeKey(app, admin.http);
    const outcome = async (id: string, body: object) =>
      (await narrow.http.call('PATCH', `/api-keys/${id}`, body)).outcome;
    expect(await outcome(narrow.id, { role: 'TENANT_ADMIN' })).toBe('403 FORBIDDEN');
    expect(await outcome(narrow.id, { scopes: [...SCOPES] })).toBe('403 FORBIDDEN');
    expect(await outcome(strong.id, { allowed_cidrs: [] })).toBe('403 FORBIDDEN');
    expect((await narrow.http.post(`/api-keys/${strong.id}/rotate`, {})).outcome).toBe('403 FORBIDDEN');
    expect((await strong.http.get('/auth/profile')).status).toBe(200);
  });
});

describe('whose keys they are', () => {
  it.each(['MANAGER', 'AGENT', 'AUDITOR'] as const)('is no business of the role %s', async (role) => {
    const { http } = await app.login(role);
    const key = await makeKey(app, admin.http);
    for (const [method, path, body] of routesOf(key.id))
      expect((await http.call(method, path, body)).outcome).toBe('403 FORBIDDEN');
  });

  it('is no business of another tenant: they are not there', async () => {
    const { http } = await app.login('TENANT_ADMIN', await app.make.tenant());
    const key = await makeKey(app, admin.http);
    for (const [method, path, body] of routesOf(key.id).slice(2))
      expect((await http.call(method, path, body)).outcome).toBe('404 NOT_FOUND');
    expect((await http.get<ApiKeyResponse[]>('/api-keys')).body).toEqual([]);
    expect((await key.http.get('/auth/profile')).status).toBe(200);
  });

  it('is told to nobody without a credential, and an id that is none is malformed', async () => {
    for (const [method, path, body] of routesOf(admin.userId))
      expect((await app.anybody.call(method, path, body)).outcome).toBe('401 AUTHENTICATION_FAILED');
    for (const [method, path, body] of routesOf('nonsense').slice(2))
      expect((await admin.http.call(method, path, body)).outcome).toBe('400 VALIDATION_FAILED');
  });
});

const routesOf = (id: string): [string, string, object | undefined][] => [
  ['GET', '/api-keys', undefined],
  ['POST', '/api-keys', { name: 'x', role: 'AGENT' }],
  ['GET', `/api-keys/${id}`, undefined],
  ['PATCH', `/api-keys/${id}`, { name: 'x' }],
  ['POST', `/api-keys/${id}/rotate`, {}],
  ['DELETE', `/api-keys/${id}`, undefined],
];

describe('the audit trail of a key', () => {
  it('has each change, by whom, and the names of changed fields', async () => {
    const key = await makeKey(app, admin.http, { name: 'Marked name' });
    await admin.http.call('PATCH', `/api-keys/${key.id}`, { name: 'Another', requests_per_minute: 5 });
    await admin.http.post(`/api-keys/${key.id}/rotate`, { grace_s: 60 });
    await admin.http.delete(`/api-keys/${key.id}`);
    const trail = await records(key.id);
    expect(trail.map(({ action, metadata }) => [action, metadata])).toEqual([
      ['API_KEY_CREATED', { prefix: key.prefix, role: 'TENANT_ADMIN', scopes: null, expires_at: null }],
      ['API_KEY_UPDATED', { fields: ['name', 'requests_per_minute'] }],
      ['API_KEY_ROTATED', { grace_s: 60 }],
      ['API_KEY_REVOKED', {}],
    ]);
    for (const record of trail) expect(record).toMatchObject({ actor_kind: 'user', actor_id: admin.userId });
    expect(JSON.parse(trail[0]?.personal as string)).toMatchObject({ name: 'Marked name', ip: '127.0.0.1' });
  });

  it('names the key that made another', async () => {
    const parent = await makeKey(app, admin.http);
    const child = await makeKey(app, parent.http);
    expect(child.created_by).toBe(parent.id);
    expect(await records(child.id)).toMatchObject([{ actor_kind: 'key', actor_id: parent.id }]);
  });
});
