import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Client } from 'pg';
import { newId } from '../../src/common/ids';
import type { LoginSessionResponse } from '../../src/modules/auth/dto/login-session.response';
import type { LoginResponse } from '../../src/modules/auth/dto/tokens.response';
import { TenantDatabase } from '../../src/platform/database/tenant-database';
import { EventBus } from '../../src/platform/events/domain-events';
import { createAccount, type TestAccount } from '../support/accounts';
import { Api } from '../support/api';
import { createTestApp } from '../support/app';
import { workerDatabase } from '../support/database';

const REFUSED = '401 AUTHENTICATION_FAILED';
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

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

async function logInFrom({ email, password }: TestAccount, agent: string): Promise<LoginResponse> {
  const headers = { 'user-agent': agent };
  return (await api.post<LoginResponse>('/auth/login', { email, password }, { headers })).body;
}

const list = (token: string, query = '') => api.get<LoginSessionResponse[]>(`/auth/sessions${query}`, { token });
const end = (token: string, id: string) => api.delete(`/auth/sessions/${id}`, { token });
const idOf = async (token: string) => (await list(token)).body.find(({ current }) => current)?.id ?? '';

describe('GET /auth/sessions', () => {
  it('tells where the user is logged in, newest first, and which login is this one', async () => {
    const account = await createAccount(owner, { role: 'AUDITOR' });
    const laptop = await logInFrom(account, 'a laptop');
    await logInFrom(account, 'a phone');
    const answer = await list(laptop.access_token);
    expect(answer.statusCode).toBe(200);
    const when = expect.stringMatching(RFC_3339);
    const common = { id: expect.any(String), ip: '127.0.0.1', created_at: when, last_used_at: when, expires_at: when };
    expect(answer.body).toEqual([
      { ...common, user_agent: 'a phone', current: false },
      { ...common, user_agent: 'a laptop', current: true },
    ]);
  });

  it('shows neither logins that have ended nor those of others', async () => {
    const account = await createAccount(owner);
    const colleague = await createAccount(owner, { tenantId: account.tenantId });
    const [own, ended, expired] = [await api.logIn(account), await api.logIn(account), await api.logIn(account)];
    await api.logIn(colleague);
    await api.post('/auth/logout', undefined, { token: ended.access_token });
    await owner.query('update logins set expires_at = now() where id = $1', [await idOf(expired.access_token)]);
    expect((await list(own.access_token)).body.map(({ current }) => current)).toEqual([true]);
  });

  it('is paged like other lists', async () => {
    const account = await createAccount(owner);
    const agents = ['one', 'two', 'three'];
    const logins = [];
    for (const agent of agents) logins.push(await logInFrom(account, agent));
    const token = logins[0]?.access_token ?? '';
    const first = await list(token, '?limit=2&count=true');
    expect(first.body.map((login) => login.user_agent)).toEqual(['three', 'two']);
    expect(first.headers['x-total-count']).toBe('3');
    const [, next = ''] = /^<([^>]+)>; rel="next"$/.exec(String(first.headers.link)) ?? [];
    const second = await api.get<LoginSessionResponse[]>(next, { token });
    expect(second.body.map((login) => login.user_agent)).toEqual(['one']);
    expect(second.headers.link).toBeUndefined();
    expect((await list(token, '?offset=1&limit=1')).body.map((login) => login.user_agent)).toEqual(['two']);
  });

  it('refuses what is no page', async () => {
    const { access_token: token } = await api.logIn(await createAccount(owner));
    for (const query of ['?limit=0', '?limit=101', '?cursor=x', '?of=me'])
      expect((await list(token, query)).refusal).toBe('400 VALIDATION_FAILED');
  });

  it('wants a login', async () => {
    expect((await api.get('/auth/sessions')).refusal).toBe(REFUSED);
  });
});

describe('DELETE /auth/sessions/:id', () => {
  it('ends that login at once, its access token included, and no other', async () => {
    const account = await createAccount(owner);
    const [own, other] = [await api.logIn(account), await api.logIn(account)];
    const id = await idOf(other.access_token);
    const answer = await end(own.access_token, id);
    expect([answer.statusCode, answer.text]).toEqual([204, '']);
    expect((await api.me(other.access_token)).refusal).toBe(REFUSED);
    expect((await api.refresh(other.refresh_token)).refusal).toBe(REFUSED);
    expect((await api.me(own.access_token)).statusCode).toBe(200);
    expect((await end(own.access_token, id)).refusal).toBe('404 NOT_FOUND');
  });

  it('ends the login that it comes with', async () => {
    const { access_token: token } = await api.logIn(await createAccount(owner));
    expect((await end(token, await idOf(token))).statusCode).toBe(204);
    expect((await api.me(token)).refusal).toBe(REFUSED);
  });

  it('knows no login of a colleague or of another tenant', async () => {
    const account = await createAccount(owner);
    const strangers = [await createAccount(owner, { tenantId: account.tenantId }), await createAccount(owner)];
    const { access_token: token } = await api.logIn(account);
    for (const stranger of strangers) {
      const theirs = await api.logIn(stranger);
      expect((await end(token, await idOf(theirs.access_token))).refusal).toBe('404 NOT_FOUND');
      expect((await api.me(theirs.access_token)).statusCode).toBe(200);
    }
    expect((await end(token, newId())).refusal).toBe('404 NOT_FOUND');
  });

  it('wants an id, and a login', async () => {
    const { access_token: token } = await api.logIn(await createAccount(owner));
    expect((await end(token, 'mine')).refusal).toBe('400 VALIDATION_FAILED');
    expect((await api.delete(`/auth/sessions/${newId()}`)).refusal).toBe(REFUSED);
  });
});

describe('news of users and tenants', () => {
  it('takes effect on the next request: a role, an inactive user, a suspended tenant', async () => {
    const bus = app.get(EventBus);
    const account = await createAccount(owner, { role: 'TENANT_ADMIN' });
    const { tenantId, userId } = account;
    const { access_token: token } = await api.logIn(account);
    const role = async () => (await api.get<{ role: string }>('/auth/profile', { token })).body.role;
    expect(await role()).toBe('TENANT_ADMIN');
    await owner.query(`update users set role = 'AGENT' where id = $1`, [userId]);
    bus.committed('user.changed', { tenantId, userId });
    expect(await role()).toBe('AGENT');
    await owner.query(`update tenants set status = 'suspended' where id = $1`, [tenantId]);
    bus.committed('tenant.changed', { tenantId });
    expect((await api.me(token)).refusal).toBe(REFUSED);
    await owner.query(`update tenants set status = 'active' where id = $1`, [tenantId]);
    bus.committed('tenant.changed', { tenantId });
    expect((await api.me(token)).statusCode).toBe(200);
    await owner.query(`update users set status = 'inactive' where id = $1`, [userId]);
    bus.committed('user.changed', { tenantId, userId });
    expect((await api.me(token)).refusal).toBe(REFUSED);
  });

  it('ends the logins of a user in the transaction that ends the user, and with it or not at all', async () => {
    const bus = app.get(EventBus);
    const account = await createAccount(owner);
    const { tenantId, userId } = account;
    const login = await api.logIn(account);
    const failing = app.get(TenantDatabase).transaction(tenantId, async (tx) => {
      await bus.inside(tx, 'user.ended', { tenantId, userId });
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    expect((await api.me(login.access_token)).statusCode).toBe(200);
    await app.get(TenantDatabase).transaction(tenantId, (tx) => bus.inside(tx, 'user.ended', { tenantId, userId }));
    bus.committed('user.ended', { tenantId, userId });
    expect((await api.me(login.access_token)).refusal).toBe(REFUSED);
    expect((await api.refresh(login.refresh_token)).refusal).toBe(REFUSED);
    const { rows } = await owner.query('select revoke_reason from logins where user_id = $1', [userId]);
    expect(rows).toEqual([{ revoke_reason: 'user_ended' }]);
  });
});
