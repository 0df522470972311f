import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Client } from 'pg';
import type { ProfileResponse } from '../../src/modules/auth/dto/profile.response';
import type { TokensResponse } from '../../src/modules/auth/dto/tokens.response';
import { createAccount } from '../support/accounts';
import { Api } from '../support/api';
import { createTestApp } from '../support/app';
import { workerDatabase } from '../support/database';

let app: NestFastifyApplication;
let api: Api;
let owner: Client;

beforeAll(async () => {
  app = await createTestApp({ AUTH_RATE_LIMIT_PER_MINUTE: '100000', RATE_LIMIT_PER_MINUTE: '100000' });
  api = new Api(app);
  owner = await (await workerDatabase()).owner();
});

afterAll(async () => {
  await owner.end();
  await app.close();
});

describe('POST /auth/refresh', () => {
  it('gives a new pair, and another the next time', async () => {
    const account = await createAccount(owner);
    const login = await api.logIn(account);
    const answer = await api.refresh(login.refresh_token);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.body).toEqual({
      access_token: expect.any(String),
      refresh_token: expect.stringMatching(/^rt_/),
      token_type: 'Bearer',
      expires_in: 900,
    });
    const next = await api.refresh(answer.body.refresh_token);
    const tokens = [login, answer.body, next.body].map((pair) => pair.refresh_token);
    expect(new Set(tokens).size).toBe(3);
    expect((await api.me(next.body.access_token)).body.id).toBe(account.userId);
  });

  it('moves the end of the login to seven days from now', async () => {
    const account = await createAccount(owner);
    const login = await api.logIn(account);
    await owner.query(`update logins set expires_at = now() + interval '1 minute' where user_id = $1`, [
      account.userId,
    ]);
    await api.refresh(login.refresh_token);
    const { rows } = await owner.query(
      `select expires_at > now() + interval '6 days 23 hours' as moved from logins where user_id = $1`,
      [account.userId],
    );
    expect(rows).toEqual([{ moved: true }]);
  });

  it('gives two tabs that ask at once the identical successor', async () => {
    const login = await api.logIn(await createAccount(owner));
    const answers = await Promise.all(Array.from({ length: 6 }, () => api.refresh(login.refresh_token)));
    expect(answers.map((answer) => answer.statusCode)).toEqual(answers.map(() => 200));
    const successors = new Set(answers.map((answer) => answer.body.refresh_token));
    expect(successors.size).toBe(1);
    const [successor = ''] = successors;
    expect((await api.refresh(successor)).statusCode).toBe(200);
  });

  it('ends the whole login when a token is replayed after 10 s', async () => {
    const account = await createAccount(owner);
    const login = await api.logIn(account);
    const pair = (await api.refresh(login.refresh_token)).body;
    expect((await api.me(pair.access_token)).statusCode).toBe(200);
    await owner.query(`update logins set rotated_at = now() - interval '11 seconds' where user_id = $1`, [
      account.userId,
    ]);
    expect((await api.refresh(login.refresh_token)).refusal).toBe('401 AUTHENTICATION_FAILED');
    expect((await api.me(pair.access_token)).refusal).toBe('401 AUTHENTICATION_FAILED');
    expect((await api.refresh(pair.refresh_token)).refusal).toBe('401 AUTHENTICATION_FAILED');
    const { rows } = await owner.query('select revoke_reason from logins where user_id = $1', [account.userId]);
    expect(rows).toEqual([{ revoke_reason: 'refresh_reuse' }]);
  });

  it('ends the whole login when a token is replayed whose successor was used, within 10 s as well', async () => {
    const account = await createAccount(owner);
    const login = await api.logIn(account);
    const second = (await api.refresh(login.refresh_token)).body;
    const third = (await api.refresh(second.refresh_token)).body;
    expect((await api.refresh(login.refresh_token)).refusal).toBe('401 AUTHENTICATION_FAILED');
    expect((await api.refresh(third.refresh_token)).refusal).toBe('401 AUTHENTICATION_FAILED');
  });

  it('leaves the other logins of the user alone when one is ended', async () => {
    const account = await createAccount(owner);
    const [stolen, other] = [await api.logIn(account), await api.logIn(account)];
    const second = (await api.refresh(stolen.refresh_token)).body;
    await api.refresh(second.refresh_token);
    await api.refresh(stolen.refresh_token);
    expect((await api.refresh(other.refresh_token)).statusCode).toBe(200);
  });

  it('stops for a login that has expired, a user made inactive and a tenant that is suspended', async () => {
    const changes = [
      `update logins set expires_at = now() where tenant_id = $1`,
      `update users set status = 'inactive' where tenant_id = $1`,
      `update tenants set status = 'suspended' where id = $1`,
    ];
    for (const change of changes) {
      const account = await createAccount(owner);
      const login = await api.logIn(account);
      await owner.query(change, [account.tenantId]);
      expect((await api.refresh(login.refresh_token)).refusal).toBe('401 AUTHENTICATION_FAILED');
    }
  });

  it('is limited by login, from however many addresses and with whichever of its tokens', async () => {
    const strict = await createTestApp({ AUTH_RATE_LIMIT_PER_MINUTE: '3', TRUSTED_PROXIES: '127.0.0.1/32' });
    const account = await createAccount(owner);
    const [first, other] = [await api.logIn(account), await api.logIn(account)];
    const from = (n: number, token: string) =>
      new Api(strict).post<TokensResponse>(
        '/auth/refresh',
        { refresh_token: token },
        { headers: { 'x-forwarded-for': `203.0.113.${n}` } },
      );
    const second = await from(1, first.refresh_token);
    const third = await from(2, second.body.refresh_token);
    const fourth = await from(3, third.body.refresh_token);
    expect([second, third, fourth].map((answer) => answer.statusCode)).toEqual([200, 200, 200]);
    const over = await from(4, fourth.body.refresh_token);
    expect(over.refusal).toBe('429 RATE_LIMITED');
    expect(Number(over.headers['retry-after'])).toBeGreaterThan(0);
    expect((await from(5, first.refresh_token)).refusal).toBe('429 RATE_LIMITED');
    expect((await from(4, other.refresh_token)).statusCode).toBe(200);
    await strict.close();
    // What was refused was not looked at: the token is as good as it was.
    expect((await api.refresh(fourth.body.refresh_token)).statusCode).toBe(200);
  });

  it('refuses a body without a token', async () => {
    expect((await api.post('/auth/refresh', {})).refusal).toBe('400 VALIDATION_FAILED');
    expect((await api.post('/auth/refresh', { refresh_token: 7 })).refusal).toBe('400 VALIDATION_FAILED');
  });
});

describe('POST /auth/logout', () => {
  it('ends the login at once, its access token included', async () => {
    const account = await createAccount(owner);
    const [login, other] = [await api.logIn(account), await api.logIn(account)];
    expect((await api.me(login.access_token)).statusCode).toBe(200);
    const answer = await api.post('/auth/logout', undefined, { token: login.access_token });
    expect([answer.statusCode, answer.text]).toEqual([204, '']);
    expect((await api.me(login.access_token)).refusal).toBe('401 AUTHENTICATION_FAILED');
    expect((await api.refresh(login.refresh_token)).refusal).toBe('401 AUTHENTICATION_FAILED');
    expect((await api.me(other.access_token)).statusCode).toBe(200);
  });

  it('ends all logins of the user, and of nobody else, with all', async () => {
    const account = await createAccount(owner);
    const colleague = await createAccount(owner, { tenantId: account.tenantId });
    const [login, other, theirs] = [await api.logIn(account), await api.logIn(account), await api.logIn(colleague)];
    for (const { access_token } of [login, other]) expect((await api.me(access_token)).statusCode).toBe(200);
    expect((await api.post('/auth/logout', { all: true }, { token: login.access_token })).statusCode).toBe(204);
    for (const { access_token, refresh_token } of [login, other]) {
      expect((await api.me(access_token)).refusal).toBe('401 AUTHENTICATION_FAILED');
      expect((await api.refresh(refresh_token)).refusal).toBe('401 AUTHENTICATION_FAILED');
    }
    expect((await api.me(theirs.access_token)).statusCode).toBe(200);
  });

  it('wants a login, and all to be a boolean', async () => {
    const login = await api.logIn(await createAccount(owner));
    expect((await api.post('/auth/logout')).refusal).toBe('401 AUTHENTICATION_FAILED');
    expect((await api.post('/auth/logout', { all: 'true' }, { token: login.access_token })).refusal).toBe(
      '400 VALIDATION_FAILED',
    );
    expect((await api.me(login.access_token)).statusCode).toBe(200);
  });
});

describe('GET /auth/profile', () => {
  it('tells the user, its tenant, its role and its permissions', async () => {
    const account = await createAccount(owner, { role: 'AUDITOR' });
    const answer = await api.get<ProfileResponse>('/auth/profile', { token: (await api.logIn(account)).access_token });
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toEqual({
      user: expect.objectContaining({ id: account.userId, email: account.email, tenant_id: account.tenantId }),
      api_key: null,
      tenant: {
        id: account.tenantId,
        slug: account.tenantSlug,
        name: 'Acme Ltd.',
        plan: 'unlimited',
        status: 'active',
      },
      role: 'AUDITOR',
      permissions: expect.arrayContaining(['profile:read', 'messages:read']),
    });
    expect(answer.body.permissions).not.toContain('messages:send');
    expect(answer.text).not.toContain('$2b$');
  });

  it('wants a login', async () => {
    expect((await api.get('/auth/profile')).refusal).toBe('401 AUTHENTICATION_FAILED');
  });

  it('takes the own tenant in X-Tenant-ID, by id and by slug, and no other', async () => {
    const [account, other] = [await createAccount(owner), await createAccount(owner)];
    const token = (await api.logIn(account)).access_token;
    for (const tenant of [account.tenantId, account.tenantSlug])
      expect((await api.get('/auth/profile', { token, headers: { 'x-tenant-id': tenant } })).statusCode).toBe(200);
    for (const tenant of [other.tenantId, other.tenantSlug, 'none'])
      expect((await api.get('/auth/profile', { token, headers: { 'x-tenant-id': tenant } })).refusal).toBe(
        '404 TENANT_NOT_FOUND',
      );
  });
});

describe('GET /users/me', () => {
  it('tells the user', async () => {
    const account = await createAccount(owner);
    const login = await api.logIn(account);
    const answer = await api.me(login.access_token);
    expect([answer.statusCode, answer.body]).toEqual([200, login.user]);
  });

  it('wants a login', async () => {
    expect((await api.get('/users/me')).refusal).toBe('401 AUTHENTICATION_FAILED');
  });
});
