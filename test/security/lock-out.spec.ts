import { createHash } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import bcrypt from 'bcrypt';
import type { Client } from 'pg';
import { PLATFORM_TENANT_ID } from '../../src/common/actor';
import { newId } from '../../src/common/ids';
import { AuditLog } from '../../src/platform/audit/audit-log';
import { createAccount, type TestAccount } from '../support/accounts';
import { Api, type Answer } from '../support/api';
import { createTestApp } from '../support/app';
import { auditRecords } from '../support/audit-records';
import { blocksSomebody } from '../support/blocked';
import { workerDatabase } from '../support/database';
import { startRedis } from '../support/redis';

const WRONG = '401 AUTHENTICATION_FAILED';
const LOCKED = '429 ACCOUNT_LOCKED';
const UNLIMITED = { AUTH_RATE_LIMIT_PER_MINUTE: '100000', RATE_LIMIT_PER_MINUTE: '100000' };

let app: NestFastifyApplication;
let api: Api;
let owner: Client;
const started: NestFastifyApplication[] = [];

beforeAll(async () => {
  app = await start();
  api = new Api(app);
  owner = await (await workerDatabase()).owner();
});

afterAll(async () => {
  await owner.end();
  await Promise.all(started.map((one) => one.close()));
});

/** One more process on the same database. */
async function start(variables: Record<string, string> = {}): Promise<NestFastifyApplication> {
  const one = await createTestApp({ ...UNLIMITED, ...variables });
  started.push(one);
  return one;
}

const tryOn = (to: Api, email: string, password: string, url = '/auth/login'): Promise<Answer<unknown>> =>
  to.post(url, { email, password });

/** The answers to so many wrong passwords, one after the other. */
async function fail(email: string, times: number, to = api): Promise<string[]> {
  const answers = [];
  for (let n = 1; n <= times; n++) answers.push((await tryOn(to, email, `wrong password ${n}`)).refusal);
  return answers;
}

const rightPassword = async ({ email, password }: TestAccount, to = api) => (await tryOn(to, email, password)).refusal;
const OPEN = '200 undefined';

/** Lets so much time pass for all accounts. */
const pass = (time: string) =>
  owner.query(
    `update login_failures set last_at = last_at - $1::interval, locked_until = locked_until - $1::interval,
      failed_at = array(select t - $1::interval from unnest(failed_at) t)`,
    [time],
  );

describe('five failures', () => {
  it('lock the account, for the right password as well, at both addresses', async () => {
    const account = await createAccount(owner);
    expect(await fail(account.email, 6)).toEqual([...Array<string>(5).fill(WRONG), LOCKED]);
    for (const url of ['/auth/login', '/users/login']) {
      const answer = await tryOn(api, account.email, account.password, url);
      expect(answer.refusal).toBe(LOCKED);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(14 * 60);
      expect(Number(answer.headers['retry-after'])).toBeLessThanOrEqual(15 * 60);
    }
  });

  it('count together, whichever address and spelling of the email they came with', async () => {
    const account = await createAccount(owner);
    await tryOn(api, account.email, 'wrong password', '/users/login');
    await tryOn(api, ` ${account.email.toUpperCase()}`, 'wrong password');
    await fail(account.email, 3);
    expect(await rightPassword(account)).toBe(LOCKED);
  });

  it('lock nobody else', async () => {
    const [account, other] = [await createAccount(owner), await createAccount(owner)];
    await fail(account.email, 5);
    expect(await rightPassword(other)).toBe(OPEN);
  });

  it('lock for 15 minutes, and then count anew', async () => {
    const account = await createAccount(owner);
    await fail(account.email, 5);
    await pass('14 minutes 50 seconds');
    expect(await rightPassword(account)).toBe(LOCKED);
    await pass('10 seconds');
    expect(await fail(account.email, 4)).toEqual(Array<string>(4).fill(WRONG));
    expect(await rightPassword(account)).toBe(OPEN);
  });

  it('count within any 15 minutes, wherever those begin', async () => {
    const account = await createAccount(owner);
    await fail(account.email, 2);
    await pass('10 minutes');
    await fail(account.email, 2);
    await pass('6 minutes');
    expect(await fail(account.email, 2)).toEqual([WRONG, WRONG]);
    expect(await fail(account.email, 2)).toEqual([WRONG, LOCKED]);
  });

  it('begin anew after a success', async () => {
    const account = await createAccount(owner);
    await fail(account.email, 4);
    expect(await rightPassword(account)).toBe(OPEN);
    await fail(account.email, 4);
    expect(await rightPassword(account)).toBe(OPEN);
  });

  it('stay counted when the success was at another account of the email: nobody guesses on with one of their own', async () => {
    const email = `${newId()}@acme.example`;
    await createAccount(owner, { email, password: 'of the victim, unknown' });
    const own = await createAccount(owner, { email, password: 'of the attacker, known' });
    await fail(email, 3);
    // Right for the own account, and a guess at the other one: it counts as such.
    expect(await rightPassword(own)).toBe(OPEN);
    expect(await fail(email, 2)).toEqual([WRONG, LOCKED]);
  });

  it('may be logins that are right for another account of the email: each is a guess at this one', async () => {
    const email = `${newId()}@acme.example`;
    await createAccount(owner, { email, password: 'of the victim, unknown' });
    const own = await createAccount(owner, { email, password: 'of the attacker, known' });
    for (let n = 1; n <= 4; n++) expect(await rightPassword(own)).toBe(OPEN);
    expect([await rightPassword(own), await rightPassword(own)]).toEqual([LOCKED, LOCKED]);
  });

  it('may be wrong current passwords as well', async () => {
    const account = await createAccount(owner);
    const { access_token: token } = await api.logIn(account);
    const change = (from: string) =>
      api.post('/auth/password', { current_password: from, new_password: 'another horse battery' }, { token });
    await fail(account.email, 2);
    for (let n = 1; n <= 3; n++) expect((await change(`wrong password ${n}`)).refusal).toBe(WRONG);
    const answer = await change(account.password);
    expect(answer.refusal).toBe(LOCKED);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(await rightPassword(account)).toBe(LOCKED);
    expect((await api.me(token)).statusCode).toBe(200);
  });
});

describe('an unknown email', () => {
  it('behaves like a known one, locking and unlocking included', async () => {
    const known = (await createAccount(owner)).email;
    const unknown = `${newId()}@acme.example`;
    const story = async (email: string) => {
      const first = await fail(email, 7);
      const { headers, body } = await tryOn(api, email, 'wrong password');
      await pass('15 minutes');
      const { error } = body as { error: string };
      return [...first, error, Object.keys(headers).sort(), ...(await fail(email, 1))];
    };
    expect(await story(unknown)).toEqual(await story(known));
  });
});

describe('a locked account', () => {
  it('costs no bcrypt', async () => {
    const account = await createAccount(owner);
    await fail(account.email, 5);
    const compared = jest.spyOn(bcrypt, 'compare');
    expect(await rightPassword(account)).toBe(LOCKED);
    expect(compared).not.toHaveBeenCalled();
    compared.mockRestore();
  });

  it('stays locked over a restart and in every process', async () => {
    const account = await createAccount(owner);
    const first = await createTestApp(UNLIMITED);
    await fail(account.email, 5, new Api(first));
    await first.close();
    expect(await rightPassword(account, new Api(await start()))).toBe(LOCKED);
    expect(await rightPassword(account)).toBe(LOCKED);
  });

  it('stays locked when Redis comes back empty', async () => {
    const redis = await startRedis();
    const shared = await createTestApp({ ...UNLIMITED, REDIS_URL: redis.url });
    const account = await createAccount(owner);
    await fail(account.email, 5, new Api(shared));
    await redis.restart();
    expect(await rightPassword(account, new Api(shared))).toBe(LOCKED);
    await shared.close();
    await redis.stop();
  });

  it('refuses a success that was on its way when the lock came', async () => {
    const account = await createAccount(owner);
    await owner.query('delete from login_failures');
    await fail(account.email, 4);
    await owner.query('begin');
    await owner.query('select from login_failures for update');
    const login = rightPassword(account);
    await blocksSomebody(owner, 'the success to wait for the row');
    await owner.query(`update login_failures set locked_until = now() + interval '15 minutes'`);
    await owner.query('commit');
    expect(await login).toBe(LOCKED);
    const { rows } = await owner.query('select id from logins where user_id = $1', [account.userId]);
    expect(rows).toEqual([]);
  });

  it('is known in the table by nothing that could be made without the key', async () => {
    const email = `${newId()}@acme.example`;
    await owner.query('delete from login_failures');
    await fail(email, 1);
    const { rows } = await owner.query<{ account: Buffer }>('select account from login_failures');
    expect(rows).toHaveLength(1);
    expect(rows[0]?.account).toHaveLength(32);
    expect(rows[0]?.account.equals(createHash('sha256').update(email).digest())).toBe(false);
  });
});

describe('twenty attempts at once over two processes', () => {
  it('give five guesses and no more, whatever their order, and lock and record the lock once', async () => {
    const both = [api, new Api(await start())];
    const account = await createAccount(owner);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => tryOn(both[n % 2] ?? api, account.email, `wrong password ${n}`)),
    );
    const refusals = answers.map(({ refusal }) => refusal);
    expect(refusals.filter((refusal) => refusal === WRONG)).toHaveLength(5);
    expect(refusals.filter((refusal) => refusal === LOCKED)).toHaveLength(15);
    const records = await auditRecords(owner, ['ACCOUNT_LOCKED'], account.email);
    expect(records).toMatchObject([{ tenant_id: account.tenantId, resource: `user:${account.userId}` }]);
  });

  it('refuse the right password behind them', async () => {
    const account = await createAccount(owner);
    const wrong = Array.from({ length: 20 }, (_, n) => tryOn(api, account.email, `wrong password ${n}`));
    expect(await rightPassword(account)).toBe(LOCKED);
    await Promise.all(wrong);
  });
});

describe('the audit trail of failures', () => {
  const failures = ['LOGIN_FAILED', 'ACCOUNT_LOCKED'];

  it('has each failure and the lock, in the chain of the tenant, the email only in what can be erased', async () => {
    const account = await createAccount(owner);
    await fail(account.email, 6);
    await app.get(AuditLog).flush();
    const records = await auditRecords(owner, failures, account.email);
    const lock = records.filter(({ action }) => action === 'ACCOUNT_LOCKED');
    const reasons = records.filter(({ action }) => action === 'LOGIN_FAILED').map(({ metadata }) => metadata.reason);
    expect(reasons.sort()).toEqual(['locked', ...Array<string>(5).fill('password')]);
    expect(lock).toHaveLength(1);
    for (const record of records) {
      expect(record).toMatchObject({
        tenant_id: account.tenantId,
        actor_kind: 'nobody',
        actor_id: null,
        resource: `user:${account.userId}`,
        personal: { email: account.email, ip: '127.0.0.1' },
      });
      expect(JSON.stringify(record.metadata)).not.toContain(account.email);
    }
  });

  it('has those of no tenant, or of several, in the chain of the platform', async () => {
    const unknown = `${newId()}@acme.example`;
    const several = `${newId()}@acme.example`;
    await createAccount(owner, { email: several });
    await createAccount(owner, { email: several });
    for (const email of [unknown, several]) {
      await fail(email, 5);
      await app.get(AuditLog).flush();
      const records = await auditRecords(owner, failures, email);
      expect(records).toHaveLength(6);
      expect(new Set(records.map((record) => record.tenant_id))).toEqual(new Set([PLATFORM_TENANT_ID]));
    }
  });

  it('says when the account was not active', async () => {
    const inactive = await createAccount(owner, { status: 'inactive' });
    expect(await rightPassword(inactive)).toBe(WRONG);
    await app.get(AuditLog).flush();
    const [record] = await auditRecords(owner, failures, inactive.email);
    expect(record?.metadata).toEqual({ reason: 'inactive' });
  });
});
