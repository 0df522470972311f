import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { permissionsOf, PERSONAL_PERMISSIONS } from '../../src/common/permissions';
import { KeyUsage } from '../../src/modules/api-keys/key-usage';
import type { ProfileResponse } from '../../src/modules/auth/dto/profile.response';
import { EventBus } from '../../src/platform/events/domain-events';
import { Api } from '../support/api';
import { bearing, makeKey, tokenOf } from '../support/api-keys';
import { createTestApp } from '../support/app';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';

const ADMIN_KEY = 'of the platform, and longer than 32 characters';
const REFUSED = '401 AUTHENTICATION_FAILED';

let app: TestApp;
let admin: LoggedIn;
/** Another process on the same database. */
let replica: NestFastifyApplication;
let elsewhere: Api;

beforeAll(async () => {
  app = await startTestApp({ config: { ADMIN_API_KEY: ADMIN_KEY, TRUSTED_PROXIES: '127.0.0.1/32' } });
  admin = await app.login('TENANT_ADMIN');
  replica = await createTestApp({ DATABASE_URL: app.db.ownerUrl, RATE_LIMIT_PER_MINUTE: '100000' });
  elsewhere = new Api(replica);
});

afterAll(async () => {
  await replica.close();
  await app.close();
});

const profileOf = (key: string, headers: Record<string, string> = {}) =>
  app.anybody.get<ProfileResponse>('/auth/profile', { headers: { 'x-api-key': key, ...headers } });
const platform = () => app.anybody.with({ 'x-api-key': ADMIN_KEY });
const slugOf = async (tenantId: string) =>
  (await app.owner.query<{ slug: string }>('select slug from tenants where id = $1', [tenantId])).rows[0]?.slug ?? '';

describe('an API key', () => {
  it('is told who it is', async () => {
    const key = await makeKey(app, admin.http, { name: 'Web shop', scopes: ['messages:read', 'introspect'] });
    expect((await key.http.get('/auth/profile')).body).toEqual({
      user: null,
      api_key: { id: key.id, name: 'Web shop', prefix: key.prefix },
      tenant: expect.objectContaining({ id: app.tenantId }),
      role: null,
      permissions: ['profile:read', 'introspect', 'messages:read'],
    });
    await admin.http.call('PATCH', `/api-keys/${key.id}`, { name: 'Renamed' });
    expect((await profileOf(key.key)).body.api_key?.name).toBe('Renamed');
  });

  it('of a role may what the role may, but what is a person’s own', async () => {
    const key = await makeKey(app, admin.http, { role: 'TENANT_ADMIN' });
    const { body } = await profileOf(key.key);
    expect(body.permissions).toEqual(
      permissionsOf('TENANT_ADMIN').filter((permission) => !PERSONAL_PERMISSIONS.includes(permission)),
    );
    expect((await key.http.get('/users/me')).outcome).toBe('403 FORBIDDEN');
    expect((await key.http.post('/auth/logout')).outcome).toBe('403 FORBIDDEN');
  });

  it('of scopes may what they say and nothing else', async () => {
    const key = await makeKey(app, admin.http, { scopes: ['messages:read'] });
    expect((await key.http.get('/messages')).status).toBe(200);
    expect((await key.http.get('/waha/sessions')).outcome).toBe('403 FORBIDDEN');
    expect((await key.http.get('/api-keys')).outcome).toBe('403 FORBIDDEN');
    expect((await key.http.post('/auth/introspect', { token: 'x' })).outcome).toBe('403 FORBIDDEN');
  });

  it('acts in its own tenant only', async () => {
    const key = await makeKey(app, admin.http);
    const other = await app.make.tenant();
    const as = async (tenant: string) => (await profileOf(key.key, { 'x-tenant-id': tenant })).outcome;
    expect(await as(app.tenantId)).toBe('200');
    expect(await as(await slugOf(app.tenantId))).toBe('200');
    expect(await as(other)).toBe('404 TENANT_NOT_FOUND');
    expect(await as(await slugOf(other))).toBe('404 TENANT_NOT_FOUND');
  });

  it('is refused when it is wrong in any character, or not one at all', async () => {
    const { key } = await makeKey(app, admin.http);
    const changed = (at: number) => key.slice(0, at) + (key[at] === 'a' ? 'b' : 'a') + key.slice(at + 1);
    for (const wrong of [changed(5), changed(20), key.slice(0, -1), `${key}x`, key.slice(4), 'x', '', 'sbk_', ' '])
      expect((await profileOf(wrong)).outcome).toBe(REFUSED);
    expect((await app.anybody.get('/auth/profile', { headers: { authorization: `Bearer ${key}` } })).outcome).toBe(
      REFUSED,
    );
    expect((await profileOf(key)).status).toBe(200);
  });

  it('is refused beside an access token: whose request it is would be anybody’s guess', async () => {
    const { key } = await makeKey(app, admin.http);
    expect((await admin.http.get('/auth/profile', { headers: { 'x-api-key': key } })).outcome).toBe(REFUSED);
  });

  it('works from its addresses only, as trusted proxies tell them', async () => {
    const { key } = await makeKey(app, admin.http, { allowed_cidrs: ['203.0.113.0/24', '2001:db8::/32'] });
    const from = async (address: string) => (await profileOf(key, { 'x-forwarded-for': address })).outcome;
    for (const inside of ['203.0.113.9', '2001:db8::1', '::ffff:203.0.113.9']) expect(await from(inside)).toBe('200');
    for (const outside of ['203.0.114.9', '2001:db9::1', '::ffff:10.0.0.1']) expect(await from(outside)).toBe(REFUSED);
    expect((await profileOf(key)).outcome).toBe(REFUSED);
    const direct = await elsewhere.get('/auth/profile', {
      headers: { 'x-api-key': key, 'x-forwarded-for': '203.0.113.9' },
    });
    expect(direct.refusal).toBe(REFUSED); // there no proxy is trusted
  });

  it('ends when its time is over, to the second', async () => {
    const end = Date.now() + 1_500;
    const key = await makeKey(app, admin.http, { expires_at: new Date(end).toISOString() });
    const token = await tokenOf(app, key);
    expect((await profileOf(key.key)).status).toBe(200);
    await eventually(async () => (await profileOf(key.key)).outcome === REFUSED, { timeoutMs: 3_000 });
    expect(Date.now()).toBeGreaterThanOrEqual(end);
    expect((await bearing(app, token).get('/auth/profile')).outcome).toBe(REFUSED);
    await admin.http.call('PATCH', `/api-keys/${key.id}`, { expires_at: null });
    expect((await profileOf(key.key)).status).toBe(200);
  });

  it('that was revoked, narrowed or rotated here ends within 5 s elsewhere, and so does what its tokens may', async () => {
    const keys = [await makeKey(app, admin.http), await makeKey(app, admin.http), await makeKey(app, admin.http)];
    const tokens = await Promise.all(keys.map((key) => tokenOf(app, key)));
    const answers = async () => {
      const byKey = keys.map(({ key }) => elsewhere.get('/waha/sessions', { headers: { 'x-api-key': key } }));
      const byToken = tokens.map((token) => elsewhere.get('/waha/sessions', { token }));
      return (await Promise.all([...byKey, ...byToken])).map(({ statusCode }) => statusCode);
    };
    expect(await answers()).toEqual(Array(6).fill(200));
    await admin.http.delete(`/api-keys/${keys[0]?.id}`);
    await admin.http.call('PATCH', `/api-keys/${keys[1]?.id}`, { scopes: ['messages:read'] });
    await admin.http.post(`/api-keys/${keys[2]?.id}/rotate`, { grace_s: 0 });
    await eventually(async () => expect(await answers()).toEqual([401, 403, 401, 401, 403, 401]), { timeoutMs: 6_000 });
  });

  it('of a suspended tenant is refused at once where that is known, and works again afterwards', async () => {
    const tenantId = await app.make.tenant();
    const { http } = await app.login('TENANT_ADMIN', tenantId);
    const key = await makeKey(app, http);
    const token = await tokenOf(app, key);
    expect((await profileOf(key.key)).status).toBe(200);
    const become = async (status: string) => {
      await app.owner.query('update tenants set status = $2 where id = $1', [tenantId, status]);
      app.app.get(EventBus).committed('tenant.changed', { tenantId });
    };
    await become('suspended');
    expect((await profileOf(key.key)).outcome).toBe(REFUSED);
    expect((await bearing(app, token).get('/auth/profile')).outcome).toBe(REFUSED);
    await become('active');
    expect((await profileOf(key.key)).status).toBe(200);
  });

  it('costs no write when it is used: when that was is written later, for all keys at once', async () => {
    const key = await makeKey(app, admin.http);
    const lastUse = async () =>
      (await app.owner.query<{ at: Date | null }>('select last_used_at as at from api_keys where id = $1', [key.id]))
        .rows[0]?.at;
    const before = Date.now();
    expect((await profileOf(key.key)).status).toBe(200);
    expect(await lastUse()).toBeNull();
    await app.app.get(KeyUsage).flush();
    const at = (await lastUse())?.getTime() ?? 0;
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(Date.now());
  });

  it('was last used when a process that has ended saw it', async () => {
    const key = await makeKey(app, admin.http);
    const brief = await createTestApp({ DATABASE_URL: app.db.ownerUrl });
    expect((await new Api(brief).get('/auth/profile', { headers: { 'x-api-key': key.key } })).statusCode).toBe(200);
    await brief.close();
    const answer = await admin.http.get<{ last_used_at: string | null }>(`/api-keys/${key.id}`);
    expect(answer.body.last_used_at).not.toBeNull();
  });
});

describe('ADMIN_API_KEY', () => {
  it('is the platform’s administrator, who belongs to no tenant', async () => {
    expect((await platform().get('/auth/profile')).body).toEqual({
      user: null,
      api_key: null,
      tenant: null,
      role: 'PLATFORM_ADMIN',
      permissions: permissionsOf('PLATFORM_ADMIN'),
    });
  });

  it('has to select a tenant for what belongs to one', async () => {
    for (const path of ['/api-keys', '/messages', '/waha/sessions'])
      expect((await platform().get(path)).outcome).toBe('400 VALIDATION_FAILED');
  });

  it('acts inside the tenant that it selects, by id or slug', async () => {
    const slug = await slugOf(app.tenantId);
    for (const named of [app.tenantId, slug]) {
      const inside = platform().with({ 'x-tenant-id': named });
      expect((await inside.get<ProfileResponse>('/auth/profile')).body.tenant?.id).toBe(app.tenantId);
      expect((await makeKey(app, inside, { role: 'AGENT' })).created_by).toMatch(/^00000000-0000-7000-/);
    }
    expect((await platform().with({ 'x-tenant-id': 'nobody' }).get('/api-keys')).outcome).toBe('404 TENANT_NOT_FOUND');
  });

  it('has nothing that is a person’s own', async () => {
    const inside = platform().with({ 'x-tenant-id': app.tenantId });
    expect((await inside.get('/users/me')).outcome).toBe('403 FORBIDDEN');
    expect((await inside.post('/auth/logout')).outcome).toBe('403 FORBIDDEN');
  });

  it('is nothing where none is set', async () => {
    for (const key of ['', 'undefined', ADMIN_KEY])
      expect((await elsewhere.get('/auth/profile', { headers: { 'x-api-key': key } })).refusal).toBe(REFUSED);
  });
});

describe('GET /auth/profile', () => {
  it('of one who asked a moment ago makes no query, and shows a change at once where it is made', async () => {
    const agent = await app.login('AGENT');
    const ask = async () => (await agent.http.get<ProfileResponse>('/auth/profile')).body;
    expect((await ask()).user?.name).toBe('Test user');
    await app.owner.query(`update users set name = 'Renamed' where id = $1`, [agent.userId]);
    await app.owner.query(`update tenants set name = 'New Ltd.' where id = $1`, [agent.tenantId]);
    expect((await ask()).user?.name).toBe('Test user');
    app.app.get(EventBus).committed('user.changed', { tenantId: agent.tenantId, userId: agent.userId });
    app.app.get(EventBus).committed('tenant.changed', { tenantId: agent.tenantId });
    expect(await ask()).toMatchObject({ user: { name: 'Renamed' }, api_key: null, tenant: { name: 'New Ltd.' } });
  });
});
