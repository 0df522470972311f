import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Client } from 'pg';
import type { ErrorBody } from '../../src/platform/http/error-body';
import { createAccount, type TestAccount } from '../support/accounts';
import { Api } from '../support/api';
import { createTestApp } from '../support/app';
import { workerDatabase } from '../support/database';
import { eventually } from '../support/wait';

const NEW = 'another horse, no battery';
const REFUSED = '401 AUTHENTICATION_FAILED';

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

const change = (token: string, from: string, to: string) =>
  api.post<ErrorBody>('/auth/password', { current_password: from, new_password: to }, { token });

const tryLogin = ({ email, tenantId }: TestAccount, password: string) =>
  api.post('/auth/login', { email, password, tenant: tenantId });

/** How many statements wait for a lock that another transaction holds. */
const waiting = async (text: string): Promise<boolean> => {
  await owner.query('select pg_stat_clear_snapshot()'); // within a transaction the activity is read once, and kept
  const { rows } = await owner.query<{ n: number }>(
    `select count(*)::int as n from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and position($1 in query) > 0`,
    [text],
  );
  return rows[0]?.n === 1;
};

describe('POST /auth/password', () => {
  it('changes the password', async () => {
    const account = await createAccount(owner);
    const login = await api.logIn(account);
    const answer = await change(login.access_token, account.password, NEW);
    expect([answer.statusCode, answer.text]).toEqual([204, '']);
    expect((await tryLogin(account, account.password)).refusal).toBe(REFUSED);
    expect((await tryLogin(account, NEW)).statusCode).toBe(200);
  });

  it('ends all other logins of the user at once, and neither this one nor anybody else’s', async () => {
    const account = await createAccount(owner);
    const colleague = await createAccount(owner, { tenantId: account.tenantId });
    const [own, other, theirs] = [await api.logIn(account), await api.logIn(account), await api.logIn(colleague)];
    expect((await api.me(other.access_token)).statusCode).toBe(200);
    await change(own.access_token, account.password, NEW);
    expect((await api.me(other.access_token)).refusal).toBe(REFUSED);
    expect((await api.refresh(other.refresh_token)).refusal).toBe(REFUSED);
    expect((await api.me(own.access_token)).statusCode).toBe(200);
    expect((await api.refresh(own.refresh_token)).statusCode).toBe(200);
    expect((await api.me(theirs.access_token)).statusCode).toBe(200);
  });

  it('wants the current password, and changes nothing without it', async () => {
    const account = await createAccount(owner);
    const [own, other] = [await api.logIn(account), await api.logIn(account)];
    expect((await change(own.access_token, 'not the password', NEW)).refusal).toBe(REFUSED);
    expect((await api.me(other.access_token)).statusCode).toBe(200);
    expect((await tryLogin(account, account.password)).statusCode).toBe(200);
  });

  it.each([
    ['too short', 'nine char', 'new_password'],
    ['too long', 'é'.repeat(37), 'new_password'],
    ['common', 'qwertyuiop', 'new_password'],
  ])('refuses a new password that is %s', async (_what, to, field) => {
    const account = await createAccount(owner);
    const answer = await change((await api.logIn(account)).access_token, account.password, to);
    expect(answer.refusal).toBe('400 VALIDATION_FAILED');
    expect(answer.body.details?.map((detail) => detail.field)).toEqual([field]);
  });

  it('refuses the same password again', async () => {
    const account = await createAccount(owner);
    const answer = await change((await api.logIn(account)).access_token, account.password, account.password);
    expect([answer.refusal, answer.body.details?.[0]?.field]).toEqual(['400 VALIDATION_FAILED', 'new_password']);
  });

  it('wants a login', async () => {
    const body = { current_password: 'x', new_password: NEW };
    expect((await api.post('/auth/password', body)).refusal).toBe(REFUSED);
  });

  it('offers no Idempotency-Key', async () => {
    const account = await createAccount(owner);
    const { access_token: token } = await api.logIn(account);
    const body = { current_password: account.password, new_password: NEW };
    const headers = { 'idempotency-key': 'once' };
    expect((await api.post('/auth/password', body, { token, headers })).refusal).toBe('400 VALIDATION_FAILED');
  });

  it('lets one of two changes at once happen, and logs the other out', async () => {
    const account = await createAccount(owner);
    const logins = [await api.logIn(account), await api.logIn(account)];
    const passwords = ['the first of two passwords', 'the second of two passwords'];
    const answers = await Promise.all(
      logins.map((login, index) => change(login.access_token, account.password, passwords[index] ?? '')),
    );
    const winner = answers.findIndex(({ statusCode }) => statusCode === 204);
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([204, 401]);
    expect((await tryLogin(account, passwords[winner] ?? '')).statusCode).toBe(200);
    expect((await api.me(logins[1 - winner]?.access_token ?? '')).refusal).toBe(REFUSED);
  });
});

describe('a login that begins while the password is being changed', () => {
  it('is refused with the former password, though that was still right when it was compared', async () => {
    const account = await createAccount(owner);
    await owner.query('begin');
    await owner.query(`update users set password_hash = 'another' where id = $1`, [account.userId]);
    const login = tryLogin(account, account.password);
    await eventually(() => waiting('insert into logins'), { what: 'the login to wait for the change' });
    await owner.query('commit');
    expect((await login).refusal).toBe(REFUSED);
    const { rows } = await owner.query('select id from logins where user_id = $1', [account.userId]);
    expect(rows).toEqual([]);
  });
});
