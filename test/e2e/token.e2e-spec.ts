import type { ProfileResponse } from '../../src/modules/auth/dto/profile.response';
import type { DevTokenResponse, ServiceTokenResponse } from '../../src/modules/auth/dto/token.response';
import { createAccount } from '../support/accounts';
import { bearing, makeKey, type TestKey, tokenOf } from '../support/api-keys';
import { createTestApp } from '../support/app';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';

const REFUSED = '401 AUTHENTICATION_FAILED';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

let app: TestApp;
let admin: LoggedIn;

beforeAll(async () => {
  app = await startTestApp({ config: { AUTH_DEV_TOKENS: 'true', TRUSTED_PROXIES: '127.0.0.1/32' } });
  admin = await app.login('TENANT_ADMIN');
});

afterAll(() => app.close());

const ask = <T = ServiceTokenResponse>(body: object | string, headers?: Record<string, string>) =>
  app.anybody.post<T>('/auth/token', body, headers ? { headers } : {});
const credentials = (key: { id: string; key: string }) => ({
  grant_type: 'client_credentials',
  client_id: key.id,
  client_secret: key.key,
});
const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
});
const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
const profileBy = async (token: string) => (await bearing(app, token).get<ProfileResponse>('/auth/profile')).body;

describe('POST /auth/token with client credentials', () => {
  it('gives an access token that acts as the key', async () => {
    const key = await makeKey(app, admin.http, { scopes: ['messages:read', 'sessions:read'] });
    const answer = await ask(credentials(key));
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(answer.body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 900,
      scope: 'profile:read sessions:read messages:read',
    });
    const claims = claimsOf(answer.body.access_token);
    expect(Number(claims.exp) - Number(claims.iat)).toBe(900);
    expect(await profileBy(answer.body.access_token)).toMatchObject({
      user: null,
      api_key: { id: key.id },
      role: null,
    });
    expect((await bearing(app, answer.body.access_token).get('/messages')).status).toBe(200);
    expect((await bearing(app, answer.body.access_token).get('/api-keys')).outcome).toBe('403 FORBIDDEN');
    expect((await bearing(app, answer.body.access_token).get('/users/me')).outcome).toBe('403 FORBIDDEN');
  });

  it('takes them as a form, and in HTTP Basic', async () => {
    const key = await makeKey(app, admin.http);
    const form = (fields: Record<string, string>) => new URLSearchParams(fields).toString();
    const grant = { grant_type: 'client_credentials' };
    const answers = [
      await ask(form(credentials(key)), FORM),
      await ask(form(credentials(key)), { 'content-type': `${FORM['content-type']};charset=UTF-8` }),
      await ask(form(grant), { ...FORM, ...basic(key.id, encodeURIComponent(key.key)) }),
      await ask(grant, basic(key.id, key.key)),
      await ask({ ...grant, client_id: key.id }, basic(key.id, key.key)),
    ];
    expect(answers.map(({ outcome }) => outcome)).toEqual(Array(5).fill('200'));
  });

  it('refuses whatever is wrong with id or secret alike', async () => {
    const [key, other] = [await makeKey(app, admin.http), await makeKey(app, admin.http)];
    const revoked = await makeKey(app, admin.http);
    await admin.http.delete(`/api-keys/${revoked.id}`);
    const walled = await makeKey(app, admin.http, { allowed_cidrs: ['203.0.113.0/24'] });
    const wrong = [
      await ask({ ...credentials(key), client_id: other.id }),
      await ask({ ...credentials(key), client_id: 'nobody' }),
      await ask({ ...credentials(key), client_secret: other.key }),
      await ask({ ...credentials(key), client_secret: 'x' }),
      await ask(credentials(revoked)),
      await ask(credentials(walled)),
      await ask({ grant_type: 'client_credentials' }, basic(key.id, 'x')),
      await ask({ grant_type: 'client_credentials' }, { authorization: 'Bearer x' }),
    ];
    expect(wrong.map(({ outcome }) => outcome)).toEqual(wrong.map(() => REFUSED));
    expect(new Set(wrong.map(({ body }) => (body as { error?: string }).error)).size).toBe(1);
    expect(wrong[6]?.headers.get('www-authenticate')).toMatch(/^Basic/);
    expect((await ask(credentials(walled), { 'x-forwarded-for': '203.0.113.9' })).status).toBe(200);
  });

  it.each<[string, (key: TestKey) => object]>([
    ['without a grant type', ({ id, key }) => ({ client_id: id, client_secret: key })],
    ['with another grant type', (key) => ({ ...credentials(key), grant_type: 'password' })],
    ['without a secret', ({ id }) => ({ grant_type: 'client_credentials', client_id: id })],
    ['without an id', ({ key }) => ({ grant_type: 'client_credentials', client_secret: key })],
    ['with a field unknown here', (key) => ({ ...credentials(key), audience: 'x' })],
    ['with a scope that there is not', (key) => ({ ...credentials(key), scope: 'everything' })],
    ['with a scope that is a person’s own', (key) => ({ ...credentials(key), scope: 'profile:own' })],
    ['with a blank scope', (key) => ({ ...credentials(key), scope: ' ' })],
    ['that is empty', () => ({})],
  ])('refuses a body %s', async (_what, bodyOf) => {
    const key = await makeKey(app, admin.http);
    expect((await ask(bodyOf(key))).outcome).toBe('400 VALIDATION_FAILED');
  });

  it('narrows the token to the scope that is asked for, and to what the key holds at each use', async () => {
    const key = await makeKey(app, admin.http, { role: 'MANAGER' });
    const answer = await ask({ ...credentials(key), scope: 'messages:read sessions:read messages:read' });
    expect(answer.body.scope).toBe('sessions:read messages:read');
    const { http } = { http: bearing(app, answer.body.access_token) };
    expect((await http.get('/messages')).status).toBe(200);
    expect((await http.post('/messages/send', { to: '+442079460958', text: 'x' })).outcome).toBe('403 FORBIDDEN');
    expect((await ask({ ...credentials(key), scope: 'api-keys:manage' })).outcome).toBe('400 VALIDATION_FAILED');
    await admin.http.call('PATCH', `/api-keys/${key.id}`, { scopes: ['sessions:read'] });
    expect((await http.get('/messages')).outcome).toBe('403 FORBIDDEN');
    expect((await http.get('/waha/sessions')).status).toBe(200);
  });

  it('gives tokens that die with the key, and with the secret that they were given for', async () => {
    const [revoked, rotated, walled] = [
      await makeKey(app, admin.http),
      await makeKey(app, admin.http),
      await makeKey(app, admin.http),
    ];
    const tokens = await Promise.all([revoked, rotated, walled].map((key) => tokenOf(app, key)));
    const outcomes = async () =>
      Promise.all(tokens.map(async (token) => (await bearing(app, token).get('/auth/profile')).outcome));
    expect(await outcomes()).toEqual(['200', '200', '200']);
    await admin.http.delete(`/api-keys/${revoked.id}`);
    await admin.http.post(`/api-keys/${rotated.id}/rotate`, { grace_s: 1 });
    await admin.http.call('PATCH', `/api-keys/${walled.id}`, { allowed_cidrs: ['203.0.113.0/24'] });
    expect(await outcomes()).toEqual([REFUSED, '200', REFUSED]);
    await eventually(async () => expect(await outcomes()).toEqual([REFUSED, REFUSED, REFUSED]), { timeoutMs: 3_000 });
  });

  it('is recorded', async () => {
    const key = await makeKey(app, admin.http);
    await ask({ ...credentials(key), scope: 'messages:read' });
    await eventually(async () => {
      const { rows } = await app.owner.query(
        `select actor_kind, actor_id, tenant_id, metadata from audit_logs where action = 'TOKEN_ISSUED' and actor_id = $1`,
        [key.id],
      );
      expect(rows).toEqual([
        {
          actor_kind: 'key',
          actor_id: key.id,
          tenant_id: app.tenantId,
          metadata: { grant: 'client_credentials', scope: 'messages:read' },
        },
      ]);
    });
  });
});

describe('a form', () => {
  it.each([
    ['with a parameter twice', 'grant_type=client_credentials&client_id=a&client_id=b&client_secret=c'],
    ['with __proto__', '__proto__=x&grant_type=client_credentials'],
    ['with constructor', 'constructor=x&grant_type=client_credentials'],
    ['with a field unknown here', 'grant_type=client_credentials&client_id=a&client_secret=b&x=y'],
    ['that is empty', ''],
  ])('is refused %s', async (_what, body) => {
    expect((await ask(body, FORM)).outcome).toBe('400 VALIDATION_FAILED');
  });

  it('in another charset or coding is refused, and one that is too large', async () => {
    const type = FORM['content-type'];
    expect((await ask('a=b', { 'content-type': `${type}; charset=latin1` })).status).toBe(415);
    expect((await ask('a=b', { ...FORM, 'content-encoding': 'gzip' })).status).toBe(415);
    expect((await ask('x'.repeat(16 * 1024 + 1), FORM)).outcome).toBe('413 PAYLOAD_TOO_LARGE');
  });

  it.each(['/auth/login', '/users/register', '/messages/send', '/api-keys', '/auth/logout'])(
    'is taken by no other route, such as %s',
    async (path) => {
      const answer = await admin.http.post(path, 'email=jane%40acme.example', { headers: FORM });
      expect(answer.outcome).toBe('415 UNSUPPORTED_MEDIA_TYPE');
    },
  );

  it('goes to an address that is not there as anything else does', async () => {
    expect((await app.anybody.post('/nothing', 'a=b', { headers: FORM })).outcome).toBe('404 NOT_FOUND');
  });
});

describe('POST /auth/token of a developer', () => {
  it('gives a token of 24 hours of whoever has the email', async () => {
    const { email, userId, tenantId } = await createAccount(app.owner, { role: 'AGENT' });
    const answer = await ask<DevTokenResponse>({ userId: 'dev-1', email: email.toUpperCase() });
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(answer.body).toEqual({ token: expect.any(String), expiresIn: '24h' });
    const claims = claimsOf(answer.body.token);
    expect(Number(claims.exp) - Number(claims.iat)).toBe(24 * 60 * 60);
    expect(await profileBy(answer.body.token)).toMatchObject({
      user: { id: userId, email },
      tenant: { id: tenantId },
      role: 'AGENT',
    });
  });

  it('makes a TENANT_ADMIN of demo for an email that nobody has, once, however many ask at once', async () => {
    const email = 'ada.lovelace@dev.example';
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask<DevTokenResponse>({ userId: 'x', email })));
    expect(answers.map(({ outcome }) => outcome)).toEqual(Array(6).fill('200'));
    const profiles = await Promise.all(answers.map(({ body }) => profileBy(body.token)));
    expect(new Set(profiles.map(({ user }) => user?.id)).size).toBe(1);
    expect(profiles[0]).toMatchObject({
      user: { email, name: 'ada.lovelace', role: 'TENANT_ADMIN' },
      tenant: { slug: 'demo' },
    });
    const again = await ask<DevTokenResponse>({ userId: 'x', email });
    expect((await profileBy(again.body.token)).user?.id).toBe(profiles[0]?.user?.id);
    const { rows } = await app.owner.query(
      `select action, count(*)::int from audit_logs where resource = $1 group by 1 order by 1`,
      [`user:${profiles[0]?.user?.id}`],
    );
    expect(rows).toEqual([
      { action: 'TOKEN_ISSUED', count: 7 },
      { action: 'USER_CREATED', count: 1 },
    ]);
  });

  it('is a login like any other: logging out ends it', async () => {
    const answer = await ask<DevTokenResponse>({ userId: 'x', email: 'leaves@dev.example' });
    const http = bearing(app, answer.body.token);
    expect((await http.post('/auth/logout')).status).toBe(204);
    expect((await http.get('/auth/profile')).outcome).toBe(REFUSED);
  });

  it('has to be sure whom it means, and lets nobody in who is shut out', async () => {
    const email = 'twice@dev.example';
    await createAccount(app.owner, { email });
    const second = await createAccount(app.owner, { email });
    expect((await ask({ userId: 'x', email })).outcome).toBe('409 TENANT_REQUIRED');
    await app.owner.query(`update users set status = 'inactive' where id = $1`, [second.userId]);
    expect((await ask({ userId: 'x', email })).status).toBe(200);
    const { email: closed } = await createAccount(app.owner, { status: 'inactive' });
    expect((await ask({ userId: 'x', email: closed })).outcome).toBe(REFUSED);
  });

  it.each([
    { userId: 'x' },
    { email: 'no email' },
    { email: 'a@dev.example', grant_type: 'client_credentials' },
    { email: 'a@dev.example', client_secret: 'x' },
    { email: 'a@dev.example', role: 'AUDITOR' },
  ])('refuses %j', async (body) => {
    expect((await ask(body)).outcome).toBe('400 VALIDATION_FAILED');
  });
});

describe('POST /auth/token where tokens without a password are off, as they are unless switched on', () => {
  it('refuses whoever brings an email, or such a token; services are counted by address', async () => {
    const strict = await createTestApp({ DATABASE_URL: app.db.ownerUrl, AUTH_RATE_LIMIT_PER_MINUTE: '2' });
    const inject = async (payload: object) => {
      const answer = await strict.inject({ method: 'POST', url: '/auth/token', payload });
      return `${answer.statusCode} ${answer.json<{ code?: string }>().code}`;
    };
    const dev = { userId: 'x', email: 'a@dev.example' };
    const outcomes = [await inject(dev), await inject(dev), await inject(dev)];
    const service = [];
    for (let time = 0; time < 5; time++)
      service.push(await inject({ grant_type: 'client_credentials', client_id: 'x', client_secret: 'y' }));
    const { token } = (await ask<DevTokenResponse>({ userId: 'x', email: 'former@dev.example' })).body;
    const former = await strict.inject({ url: '/auth/profile', headers: { authorization: `Bearer ${token}` } });
    await strict.close();
    expect([(await profileBy(token)).user?.email, former.statusCode]).toEqual(['former@dev.example', 401]);
    expect(outcomes).toEqual(['403 DEV_TOKENS_DISABLED', '403 DEV_TOKENS_DISABLED', '429 RATE_LIMITED']);
    expect(service).toEqual(Array(5).fill(REFUSED));
  });
});
