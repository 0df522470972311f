import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Api } from '../support/api';
import { makeKey, type TestKey, tokenOf } from '../support/api-keys';
import { createTestApp } from '../support/app';
import { startRedis, type TestRedis } from '../support/redis';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';

const ADMIN_KEY = 'of the platform, and longer than 32 characters';

let redis: TestRedis;
let app: TestApp;
let replica: NestFastifyApplication;

beforeAll(async () => {
  redis = await startRedis();
  app = await startTestApp({ config: { REDIS_URL: redis.url, ADMIN_API_KEY: ADMIN_KEY } });
  replica = await createTestApp({ DATABASE_URL: app.db.ownerUrl, REDIS_URL: redis.url });
});

afterAll(async () => {
  await replica.close();
  await app.close();
  await redis.stop();
});

/** A tenant that may make so many requests a minute, with its administrator; logging in counts nothing. */
async function tenantOf(perMinute: number): Promise<LoggedIn> {
  const tenantId = await app.make.tenant();
  await app.owner.query(`update tenants set quotas = $2 where id = $1`, [tenantId, { requests_per_minute: perMinute }]);
  return app.login('TENANT_ADMIN', tenantId);
}

const keyOf = (admin: LoggedIn, perMinute: number | null = null): Promise<TestKey> =>
  makeKey(app, admin.http, { requests_per_minute: perMinute });

describe('how often a known caller may call', () => {
  it('is what the plan allows all users and keys of the tenant together, on every replica', async () => {
    const admin = await tenantOf(5);
    const key = await keyOf(admin); // the first
    const outcomes = [
      (await admin.http.get('/messages')).outcome,
      (await key.http.get('/messages')).outcome,
      (await new Api(replica).get('/messages', { headers: { 'x-api-key': key.key } })).statusCode,
    ];
    expect(outcomes).toEqual(['200', '200', 200]);
    const last = await admin.http.get('/messages');
    expect([last.status, last.headers.get('ratelimit-limit'), last.headers.get('ratelimit-remaining')]).toEqual([
      200,
      '5',
      '0',
    ]);
    const over = await key.http.get<{ error: string }>('/messages');
    expect(over.outcome).toBe('429 QUOTA_EXCEEDED');
    expect(over.body.error).toContain('5');
    expect(Number(over.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(over.headers.get('ratelimit-remaining')).toBe('0');
    const there = await new Api(replica).get('/messages', { headers: { 'x-api-key': key.key } });
    expect(there.refusal).toBe('429 QUOTA_EXCEEDED');
    const other = await tenantOf(5);
    expect((await other.http.get('/messages')).status).toBe(200);
  });

  it('is for a key with a bound of its own that bound, its access tokens included', async () => {
    const admin = await tenantOf(1000);
    const key = await keyOf(admin, 3);
    const token = await tokenOf(app, key);
    const first = await key.http.get('/messages');
    expect([first.status, first.headers.get('ratelimit-limit'), first.headers.get('ratelimit-remaining')]).toEqual([
      200,
      '3',
      '2',
    ]);
    expect((await new Api(replica).get('/messages', { token })).statusCode).toBe(200);
    expect((await key.http.get('/messages')).status).toBe(200);
    const over = await key.http.get('/messages');
    expect(over.outcome).toBe('429 RATE_LIMITED');
    expect(Number(over.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await new Api(replica).get('/messages', { token })).refusal).toBe('429 RATE_LIMITED');
    expect((await admin.http.get('/messages')).headers.get('ratelimit-remaining')).toBe('995');
  });

  it('counts what names another tenant, too', async () => {
    const admin = await tenantOf(3);
    const astray = admin.http.with({ 'x-tenant-id': 'somebody-else' });
    const outcomes = [];
    for (let n = 0; n < 4; n += 1) outcomes.push((await astray.get('/messages')).outcome);
    expect(outcomes).toEqual([...Array<string>(3).fill('404 TENANT_NOT_FOUND'), '429 QUOTA_EXCEEDED']);
  });

  it('is not counted, nor told of, where the plan has no bound', async () => {
    const admin = await app.login('TENANT_ADMIN', await app.make.tenant());
    const answer = await admin.http.get('/messages');
    expect([answer.status, answer.headers.get('ratelimit-limit')]).toEqual([200, null]);
  });

  it('does not bind the platform’s administrator', async () => {
    const { tenantId, http } = await tenantOf(1);
    const platform = app.anybody.with({ 'x-api-key': ADMIN_KEY, 'x-tenant-id': tenantId });
    for (let time = 0; time < 4; time++) expect((await platform.get('/messages')).status).toBe(200);
    expect((await http.get('/messages')).status).toBe(200);
    expect((await http.get('/messages')).outcome).toBe('429 QUOTA_EXCEEDED');
  });

  it('goes on being counted, by each process for itself, while Redis is away', async () => {
    const admin = await tenantOf(2);
    await redis.kill();
    const outcomes: string[] = [];
    for (let time = 0; time < 3; time++) outcomes.push((await admin.http.get('/messages')).outcome);
    await redis.restart();
    expect(outcomes).toEqual(['200', '200', '429 QUOTA_EXCEEDED']);
  });
});
