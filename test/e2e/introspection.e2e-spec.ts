import { PERMISSIONS, type Permission } from '../../src/common/permissions';
import { bearing, makeKey, tokenOf } from '../support/api-keys';
import { createTestApp } from '../support/app';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';

const REFUSED = '401 AUTHENTICATION_FAILED';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

let app: TestApp;
let admin: LoggedIn;

beforeAll(async () => {
  app = await startTestApp();
  admin = await app.login('TENANT_ADMIN');
});

afterAll(() => app.close());

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;

describe('POST /auth/introspect', () => {
  const introspect = (by: { post: LoggedIn['http']['post'] }, token: string) =>
    by.post<Record<string, unknown>>('/auth/introspect', { token });
  const INACTIVE = { active: false };

  it('tells what a user’s token is worth', async () => {
    const agent = await app.login('AGENT');
    const token = await tokenBy(agent);
    const answer = await introspect(admin.http, token);
    const { exp, iat, jti } = claimsOf(token);
    expect(answer.body).toEqual({
      active: true,
      sub: agent.userId,
      tenant_id: app.tenantId,
      role: 'AGENT',
      scope: permissionsHeldBy('AGENT').join(' '),
      username: agent.email,
      token_type: 'Bearer',
      exp,
      iat,
      jti,
    });
  });

  it('tells what a key’s token is worth, to a key of the scope introspect, in a form too', async () => {
    const asker = await makeKey(app, admin.http, { scopes: ['introspect'] });
    const key = await makeKey(app, admin.http, { scopes: ['messages:read'], allowed_cidrs: ['127.0.0.1'] });
    const token = await tokenOf(app, key);
    const form = new URLSearchParams({ token, token_type_hint: 'access_token' }).toString();
    const answer = await asker.http.post('/auth/introspect', form, { headers: FORM });
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(answer.body).toMatchObject({
      active: true,
      sub: key.id,
      client_id: key.id,
      role: null,
      scope: 'profile:read messages:read',
    });
    expect(answer.body).not.toHaveProperty('username');
  });

  it('says nothing but that it is not active of whatever else it is shown', async () => {
    const stranger = await app.login('TENANT_ADMIN', await app.make.tenant());
    const key = await makeKey(app, admin.http);
    const gone = await app.login('AGENT');
    const goneToken = await tokenBy(gone);
    await bearing(app, goneToken).post('/auth/logout');
    const revoked = await makeKey(app, admin.http);
    const ofRevoked = await tokenOf(app, revoked);
    await admin.http.delete(`/api-keys/${revoked.id}`);
    const login = await app.anybody.post<{ refresh_token: string }>('/auth/login', {
      email: admin.email,
      password: admin.password,
    });
    const others = await tokenBy(stranger);
    for (const token of ['x', others, goneToken, ofRevoked, key.key, login.body.refresh_token, `${others}x`])
      expect((await introspect(admin.http, token)).body).toEqual(INACTIVE);
    expect((await introspect(stranger.http, await tokenOf(app, key))).body).toEqual(INACTIVE);
    expect((await introspect(stranger.http, others)).body).toMatchObject({ active: true });
  });

  it('says that a token is not active once its tenant is suspended, to the platform too', async () => {
    const config = { ADMIN_API_KEY: 'of the platform, and longer than 32 characters' };
    const own = await createTestApp({ DATABASE_URL: app.db.ownerUrl, ...config });
    const tenantId = await app.make.tenant();
    const token = await tokenBy(await app.login('AGENT', tenantId));
    const ask = async () => {
      const headers = { 'x-api-key': config.ADMIN_API_KEY, 'x-tenant-id': tenantId };
      return (
        await own.inject({ method: 'POST', url: '/auth/introspect', payload: { token }, headers })
      ).json<object>();
    };
    expect(await ask()).toMatchObject({ active: true });
    await app.owner.query(`update tenants set status = 'suspended' where id = $1`, [tenantId]);
    await eventually(async () => expect(await ask()).toEqual(INACTIVE), { timeoutMs: 6_000 });
    await own.close();
  });

  it('answers those alone who may ask', async () => {
    const manager = await app.login('MANAGER');
    expect((await introspect(manager.http, 'x')).outcome).toBe('403 FORBIDDEN');
    expect((await introspect(app.anybody, 'x')).outcome).toBe(REFUSED);
    expect((await admin.http.post('/auth/introspect', {})).outcome).toBe('400 VALIDATION_FAILED');
    expect((await admin.http.post('/auth/introspect', { token: '' })).outcome).toBe('400 VALIDATION_FAILED');
  });
});

const permissionsHeldBy = (role: string): Permission[] =>
  (Object.keys(PERMISSIONS) as Permission[]).filter((name) => (PERMISSIONS[name] as readonly string[]).includes(role));

async function tokenBy({ email, password, tenantId }: LoggedIn): Promise<string> {
  const body = { email, password, tenant: tenantId };
  return (await app.anybody.post<{ access_token: string }>('/auth/login', body)).body.access_token;
}
