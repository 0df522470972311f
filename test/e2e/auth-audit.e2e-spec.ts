import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Client } from 'pg';
import { newId } from '../../src/common/ids';
import type { RegisterResponse } from '../../src/modules/auth/dto/account.response';
import type { LoginSessionResponse } from '../../src/modules/auth/dto/login-session.response';
import { AuditLog } from '../../src/platform/audit/audit-log';
import { createAccount, type TestAccount } from '../support/accounts';
import { Api } from '../support/api';
import { createTestApp } from '../support/app';
import type { AuditRecord } from '../support/audit-records';
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

/** What is recorded of the tenant, oldest first, but for refusals. */
async function recordsOf(tenantId: string): Promise<AuditRecord[]> {
  await app.get(AuditLog).flush();
  const { rows } = await owner.query<AuditRecord>(
    `select tenant_id, actor_kind, actor_id, action, resource, metadata, personal::jsonb as personal from audit_logs
      where tenant_id = $1 and action <> 'ACCESS_DENIED' order by at, id`,
    [tenantId],
  );
  return rows;
}

const actionsOf = async (tenantId: string) => (await recordsOf(tenantId)).map(({ action }) => action);
const loginIdsOf = async ({ userId }: TestAccount): Promise<string[]> =>
  (await owner.query<{ id: string }>('select id from logins where user_id = $1 order by id', [userId])).rows.map(
    (row) => row.id,
  );

describe('the audit trail', () => {
  it('has a login, with who, from where and which, and no more than that', async () => {
    const account = await createAccount(owner);
    const { email, password } = account;
    await api.post('/auth/login', { email, password }, { headers: { 'user-agent': 'a browser' } });
    const [loginId] = await loginIdsOf(account);
    expect(await recordsOf(account.tenantId)).toEqual([
      {
        tenant_id: account.tenantId,
        actor_kind: 'user',
        actor_id: account.userId,
        action: 'LOGIN',
        resource: `login:${loginId}`,
        metadata: {},
        personal: { ip: '127.0.0.1', user_agent: 'a browser' },
      },
    ]);
  });

  it('has a logout once, however often it is asked for', async () => {
    const account = await createAccount(owner);
    const { access_token: token } = await api.logIn(account);
    await Promise.all([1, 2, 3].map(() => api.post('/auth/logout', undefined, { token })));
    expect(await actionsOf(account.tenantId)).toEqual(['LOGIN', 'LOGOUT']);
  });

  it('has a logout of all as one', async () => {
    const account = await createAccount(owner);
    const { access_token: token } = await api.logIn(account);
    await api.logIn(account);
    await api.post('/auth/logout', { all: true }, { token });
    const records = await recordsOf(account.tenantId);
    expect(records.map(({ action }) => action)).toEqual(['LOGIN', 'LOGIN', 'LOGOUT']);
    expect(records[2]).toMatchObject({ resource: `user:${account.userId}`, metadata: { all: true } });
  });

  it('has the ending of another login once', async () => {
    const account = await createAccount(owner);
    const { access_token: token } = await api.logIn(account);
    await api.logIn(account);
    const { body } = await api.get<LoginSessionResponse[]>('/auth/sessions', { token });
    const other = body.find(({ current }) => !current)?.id;
    await Promise.all([1, 2, 3].map(() => api.delete(`/auth/sessions/${other}`, { token })));
    const revoked = (await recordsOf(account.tenantId)).filter(({ action }) => action === 'LOGIN_REVOKED');
    expect(revoked).toMatchObject([{ actor_id: account.userId, resource: `login:${other}` }]);
  });

  it('has a refresh theft once, however often the token comes', async () => {
    const account = await createAccount(owner);
    const first = await api.logIn(account);
    const second = (await api.refresh(first.refresh_token)).body;
    await api.refresh(second.refresh_token);
    await Promise.all([1, 2, 3].map(() => api.refresh(first.refresh_token)));
    const [loginId] = await loginIdsOf(account);
    const records = (await recordsOf(account.tenantId)).filter(({ action }) => action === 'REFRESH_REUSE');
    expect(records).toMatchObject([
      { actor_kind: 'nobody', resource: `login:${loginId}`, metadata: { user_id: account.userId, generation: 0 } },
    ]);
  });

  it('has no refresh theft where two tabs asked at once', async () => {
    const account = await createAccount(owner);
    const { refresh_token } = await api.logIn(account);
    await Promise.all([1, 2, 3].map(() => api.refresh(refresh_token)));
    expect(await actionsOf(account.tenantId)).toEqual(['LOGIN']);
  });

  it('has a changed password with the number of logins that it ended, and a refused one only as a failure', async () => {
    const account = await createAccount(owner);
    const { access_token: token } = await api.logIn(account);
    await api.logIn(account);
    const change = (from: string) =>
      api.post('/auth/password', { current_password: from, new_password: 'another horse battery' }, { token });
    await change('not the password');
    await change(account.password);
    const records = await recordsOf(account.tenantId);
    expect(records.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['LOGIN', 'LOGIN', 'LOGIN_FAILED', 'PASSWORD_CHANGED']),
    );
    expect(records).toHaveLength(4);
    const changed = records.find(({ action }) => action === 'PASSWORD_CHANGED');
    expect(changed).toMatchObject({ resource: `user:${account.userId}`, metadata: { logins_ended: 1 } });
  });

  it('has a registration whole: the tenant, its first user and the login', async () => {
    const email = `${newId()}@acme.example`;
    const body = { email, password: 'correct horse battery', tenant_name: 'Acme Ltd.' };
    const { user } = (await api.post<RegisterResponse>('/users/register', body)).body;
    const { rows } = await owner.query<{ tenant_id: string }>('select tenant_id from users where id = $1', [user.id]);
    const tenantId = rows[0]?.tenant_id ?? '';
    const founder = { tenant_id: tenantId, actor_kind: 'user', actor_id: user.id };
    expect(await recordsOf(tenantId)).toMatchObject([
      { ...founder, action: 'TENANT_CREATED', resource: `tenant:${tenantId}`, personal: { name: 'Acme Ltd.' } },
      { ...founder, action: 'USER_CREATED', resource: `user:${user.id}`, personal: { email } },
      { ...founder, action: 'LOGIN' },
    ]);
  });

  it('has no registration that was refused', async () => {
    const { email } = await createAccount(owner);
    const before = await owner.query('select count(*) from audit_logs');
    const refused = await api.post('/users/register', { email, password: 'correct horse battery' });
    expect(refused.refusal).toBe('409 EMAIL_TAKEN');
    expect((await owner.query('select count(*) from audit_logs')).rows).toEqual(before.rows);
  });

  it('has no password and no token, whatever was sent where', async () => {
    const account = await createAccount(owner, { password: 'MARKED-secret-current' });
    const login = await api.logIn(account);
    const { access_token: token } = login;
    await api.post('/auth/login', { email: account.email, password: 'MARKED-secret-wrong' });
    await api.post('/auth/login', { email: 'nobody@acme.example', password: 'MARKED-secret-unknown' });
    const change = (from: string, to: string) =>
      api.post('/auth/password', { current_password: from, new_password: to }, { token });
    await change('MARKED-secret-guess', 'MARKED-secret-refused');
    await change('MARKED-secret-current', 'MARKED-secret-new');
    await api.post('/users/register', { email: `${newId()}@acme.example`, password: 'MARKED-secret-register' });
    const second = (await api.refresh(login.refresh_token)).body;
    await api.refresh(second.refresh_token);
    await api.refresh(login.refresh_token);
    await app.get(AuditLog).flush();
    const { rows: hashes } = await owner.query<{ password_hash: string }>(
      'select password_hash from users where id = $1',
      [account.userId],
    );
    const secrets = ['MARKED', hashes[0]?.password_hash ?? '', ...[login, second].flatMap((pair) => tokensOf(pair))];
    const { rows } = await owner.query<{ text: string }>(
      `select to_jsonb(a)::text || coalesce(a.personal, '') as text from audit_logs a`,
    );
    expect(rows.length).toBeGreaterThan(5);
    expect(secrets.filter((secret) => rows.some(({ text }) => text.includes(secret)))).toEqual([]);
  });
});

const tokensOf = (pair: { access_token: string; refresh_token: string }) => [pair.access_token, pair.refresh_token];

describe('a change whose record cannot be written', () => {
  it('does not happen: no login, no logout, no failure that locks without its record', async () => {
    const account = await createAccount(owner);
    const { access_token: token } = await api.logIn(account);
    for (let n = 1; n <= 4; n++) await api.post('/auth/login', { email: account.email, password: 'wrong password' });
    await owner.query(`alter table audit_logs add constraint no_more check (action = '') not valid`);
    try {
      const { email, password } = account;
      expect((await api.post('/auth/login', { email, password: 'wrong password' })).statusCode).toBe(500);
      expect((await api.post('/auth/login', { email, password })).statusCode).toBe(500);
      expect((await api.post('/auth/logout', undefined, { token })).statusCode).toBe(500);
    } finally {
      await owner.query(`alter table audit_logs drop constraint no_more`);
    }
    expect((await api.me(token)).statusCode).toBe(200);
    expect(await loginIdsOf(account)).toHaveLength(1);
    expect((await actionsOf(account.tenantId)).filter((action) => action !== 'LOGIN_FAILED')).toEqual(['LOGIN']);
  });
});
