import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Redis } from 'ioredis';
import { KeyAccess } from '../../src/modules/api-keys/key-access.service';
import { LiveTokens } from '../../src/modules/auth/live-tokens';
import { CACHE_REDIS } from '../../src/platform/cache/cache.module';
import type { RedisClient } from '../../src/platform/cache/redis';
import { SystemDatabase } from '../../src/platform/database/system-database';
import { TenantDatabase } from '../../src/platform/database/tenant-database';
import { EventBus } from '../../src/platform/events/domain-events';
import { SharedEvents } from '../../src/platform/events/shared-events';
import { TenantDirectory } from '../../src/platform/http/tenant-directory';
import { createTestApp } from '../support/app';
import { makeKey, type TestKey, tokenOf } from '../support/api-keys';
import type { HttpClient } from '../support/http-client';
import { startRedis, type TestRedis } from '../support/redis';
import { redisIsUpFor, whileRedisIsUp } from '../support/redis-clients';
import { startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';

const ADMIN_API_KEY = 'the platform administrator of these tests';
const HERE = '192.0.2.1';

let redis: TestRedis;
let raw: Redis;
let app: TestApp;
let replica: NestFastifyApplication;
let platform: HttpClient;
let admin: HttpClient;

beforeAll(async () => {
  redis = await startRedis();
  raw = new Redis(`${redis.url}/1`);
  raw.on('error', () => undefined);
  const config = { REDIS_URL: redis.url, ROLE: 'api', ADMIN_API_KEY };
  app = await startTestApp({ config });
  replica = await createTestApp({ ...config, DATABASE_URL: app.db.ownerUrl });
  // What a process hears of the other is told by each test.
  for (const each of [app.app, replica]) each.get(SharedEvents).onApplicationShutdown();
  platform = app.anybody.with({ 'x-api-key': ADMIN_API_KEY });
  admin = (await app.login('TENANT_ADMIN')).http;
});

afterEach(() => jest.restoreAllMocks());

afterAll(async () => {
  raw.disconnect();
  await replica.close();
  await app.close();
  await redis.stop();
});

const areUp = () => redisIsUpFor(app.app, replica);
beforeEach(areUp);
const steadily = (work: () => Promise<void>) => whileRedisIsUp([app.app, replica], work);

/** What the process asks the database about keys and tenants from now on; an answer may be held back. */
function asked(process: NestFastifyApplication, held?: Promise<void>): string[] {
  const questions: string[] = [];
  const system = process.get(SystemDatabase);
  const run = system.run.bind(system);
  jest.spyOn(system, 'run').mockImplementation(async (statement, params) => {
    const rows = await run<never>(statement, params);
    if (statement !== 'apiKeyByHash') return rows;
    questions.push('key');
    await held;
    return rows;
  });
  const db = process.get(TenantDatabase);
  const repository = db.repository.bind(db) as (...question: Parameters<typeof db.repository>) => Promise<never>;
  jest.spyOn(db, 'repository').mockImplementation((...question) => {
    questions.push('tenant');
    return repository(...question);
  });
  return questions;
}

/** Who the key is for the gateway of that process: its id, `suspended`, or null. */
async function whoIn(process: NestFastifyApplication, { key }: TestKey): Promise<string | null> {
  const verdict = await process.get(KeyAccess).verdictOn(key, HERE);
  return verdict === null || !('suspended' in verdict) ? (verdict?.id ?? null) : 'suspended';
}
const heardOfKey = ({ id }: TestKey, tenantId = app.tenantId) =>
  replica.get(EventBus).elsewhere('key.changed', { tenantId, keyId: id });
const heardOfTenant = (tenantId: string) => replica.get(EventBus).elsewhere('tenant.changed', { tenantId });

const clock = performance.now.bind(performance);
/** Lets both processes believe that so much time has gone by; Redis does not. */
const afterMs = (ms: number) => jest.spyOn(performance, 'now').mockImplementation(() => clock() + ms);

async function newTenant(): Promise<{ tenantId: string; key: TestKey }> {
  const tenantId = await app.make.tenant();
  return { tenantId, key: await makeKey(app, (await app.login('TENANT_ADMIN', tenantId)).http) };
}

describe('a key', () => {
  it('that one process has asked about is asked about by no other, by the key itself or by its token', () =>
    steadily(async () => {
      const key = await makeKey(app, admin, { role: 'AGENT' });
      const token = await tokenOf(app, key);
      expect(await whoIn(app.app, key)).toBe(key.id);
      const questions = asked(replica);
      const live = await replica.get(LiveTokens).find(token, HERE);
      expect([live?.actor.id, live?.actor.role]).toEqual([key.id, 'AGENT']);
      expect([await whoIn(replica, key), questions]).toEqual([key.id, []]);
    }));

  it('is asked about in one query, however many in however many processes miss it at once', () =>
    steadily(async () => {
      const key = await makeKey(app, admin);
      const questions = [app.app, replica].map((each) => asked(each));
      const all = await Promise.all(
        [app.app, replica].flatMap((each) => Array.from({ length: 100 }, () => whoIn(each, key))),
      );
      expect(new Set(all)).toEqual(new Set([key.id]));
      expect(questions.flat()).toEqual(['key']);
    }));

  it('that was revoked is nobody’s from the answer on, wherever it was known', async () => {
    const key = await makeKey(app, admin);
    expect([await whoIn(app.app, key), await whoIn(replica, key)]).toEqual([key.id, key.id]);
    expect((await admin.delete(`/api-keys/${key.id}`)).status).toBe(204);
    heardOfKey(key);
    expect([await whoIn(app.app, key), await whoIn(replica, key)]).toEqual([null, null]);
  });

  it('that was revoked while a process was reading it is given to nobody who asks later', async () => {
    const key = await makeKey(app, admin);
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    const questions = asked(replica, held);
    const early = whoIn(replica, key);
    await eventually(() => questions.length === 1);
    expect((await admin.delete(`/api-keys/${key.id}`)).status).toBe(204);
    heardOfKey(key);
    const late = whoIn(replica, key);
    letGo(); // it gives Redis what it read before
    expect([await early, await late]).toEqual([key.id, null]);
    expect([await whoIn(app.app, key), await whoIn(replica, key)]).toEqual([null, null]);
  });

  it('whose revocation a process did not hear of serves there for 5 s from when anybody read it, and no longer', async () => {
    const key = await makeKey(app, admin);
    await whoIn(app.app, key);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await whoIn(replica, key)).toBe(key.id); // of Redis, half a second old
    await admin.delete(`/api-keys/${key.id}`);
    afterMs(2_800);
    expect(await whoIn(replica, key)).toBe(key.id);
    afterMs(4_501);
    expect(await whoIn(replica, key)).toBeNull();
  });

  it('in use is asked about anew before these are over, and nobody waits for that', async () => {
    const key = await makeKey(app, admin);
    await whoIn(replica, key);
    await admin.delete(`/api-keys/${key.id}`); // of which it does not hear
    afterMs(3_600);
    expect(replica.get(KeyAccess).verdictOn(key.key, HERE)).toMatchObject({ id: key.id });
    await eventually(async () => (await whoIn(replica, key)) === null, { timeoutMs: 1_000 });
  });

  it('has the rights of now where they were changed, and its former secret its end', async () => {
    const key = await makeKey(app, admin, { role: 'AGENT' });
    await whoIn(replica, key);
    await admin.call('PATCH', `/api-keys/${key.id}`, { role: 'AUDITOR' });
    heardOfKey(key);
    expect((await replica.get(KeyAccess).byKey(key.key, HERE))?.actor.role).toBe('AUDITOR');
    const rotated = await admin.post<{ key: string }>(`/api-keys/${key.id}/rotate`, { grace_s: 0 });
    expect(rotated.status).toBe(200);
    heardOfKey(key);
    expect([await whoIn(replica, key), await whoIn(replica, { ...key, key: rotated.body.key })]).toEqual([
      null,
      key.id,
    ]);
  });

  it('leaves nothing in Redis by which anybody could come in, or learn whose it is', async () => {
    const key = await makeKey(app, admin);
    await whoIn(app.app, key);
    const names = await raw.keys('*facts*');
    const values = await Promise.all(names.map(async (name) => (await raw.type(name)) === 'string' && raw.get(name)));
    const facts = names.filter((name) => name.includes('facts:key-'));
    expect(facts.length).toBeGreaterThan(0);
    const secret = key.key.split('_')[2] ?? '';
    for (const text of [...names, ...values]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(key.prefix);
      expect(text).not.toContain('TENANT_ADMIN');
    }
    for (const [nth, name] of names.entries())
      if (facts.includes(name)) expect(values[nth]).not.toContain(app.tenantId);
  });
});

describe('a tenant', () => {
  it('that is suspended is so in every process from the answer on, and active again', async () => {
    const { tenantId, key } = await newTenant();
    for (const each of [app.app, replica]) expect(await whoIn(each, key)).toBe(key.id);
    for (const [status, found] of [
      ['suspended', 'suspended'],
      ['active', key.id],
    ]) {
      expect((await platform.call('PATCH', `/tenants/${tenantId}`, { status })).status).toBe(200);
      heardOfTenant(tenantId);
      for (const each of [app.app, replica]) expect([status, await whoIn(each, key)]).toEqual([status, found]);
    }
  });

  it('that was deleted lets nobody in any more, and is known to nobody', async () => {
    const { tenantId, key } = await newTenant();
    await whoIn(replica, key);
    expect((await platform.delete(`/tenants/${tenantId}`)).status).toBe(202);
    heardOfTenant(tenantId);
    for (const each of [app.app, replica]) {
      expect(await whoIn(each, key)).toBe('suspended');
      expect(await each.get(KeyAccess).byKey(key.key, HERE)).toBeNull();
    }
    await expect(replica.get(TenantDirectory).limitsOf(tenantId)).rejects.toMatchObject({ code: 'TENANT_NOT_FOUND' });
  });

  it('is asked about in one query, of all that is asked of it, however many processes miss it at once', () =>
    steadily(async () => {
      const tenantId = await app.make.tenant();
      const questions = [app.app, replica].map((each) => asked(each));
      const directories = [app.app, replica].map((each) => each.get(TenantDirectory));
      await Promise.all(
        directories.flatMap((directory) =>
          Array.from({ length: 20 }, () => Promise.all([directory.slugOf(tenantId), directory.limitsOf(tenantId)])),
        ),
      );
      expect(questions.flat()).toEqual(['tenant']);
      for (const directory of directories) expect(directory.limitsOf(tenantId)).not.toBeInstanceOf(Promise);
    }));

  it('has the plan, slug and time zone of now where they were changed', async () => {
    const { tenantId } = await newTenant();
    const directory = replica.get(TenantDirectory);
    expect([await directory.timeZoneOf(tenantId), (await directory.limitsOf(tenantId)).users]).toEqual(['UTC', null]);
    const change = { plan: 'free', slug: `moved-${tenantId.slice(-8)}`, settings: { time_zone: 'Asia/Tokyo' } };
    expect((await platform.call('PATCH', `/tenants/${tenantId}`, change)).outcome).toMatch(/^200/);
    heardOfTenant(tenantId);
    expect((await directory.limitsOf(tenantId)).users).toBe(3);
    expect([await directory.timeZoneOf(tenantId), await directory.slugOf(tenantId)]).toEqual([
      'Asia/Tokyo',
      change.slug,
    ]);
    expect(await directory.idOf(change.slug)).toBe(tenantId);
    await expect(directory.slugOf('01890000-0000-7000-8000-000000000000')).rejects.toThrow('no such tenant');
  });
});

describe('when Redis dies', () => {
  it('keys and tenants are asked of the database, and what is changed meanwhile holds when it is back', async () => {
    const [{ key, tenantId }, revoked] = [await newTenant(), await makeKey(app, admin)];
    for (const each of [app.app, replica]) await whoIn(each, revoked);
    await redis.kill();
    await eventually(() => [app.app, replica].every((each) => each.get<RedisClient>(CACHE_REDIS).state === 'away'));
    const questions = asked(replica);
    expect([await whoIn(replica, key), questions]).toEqual([key.id, ['key']]);
    expect((await replica.get(TenantDirectory).limitsOf(tenantId)).users).toBeNull();
    expect((await admin.delete(`/api-keys/${revoked.id}`)).status).toBe(204);
    expect(await whoIn(app.app, revoked)).toBeNull();
    afterMs(5_001); // nobody told it
    expect(await whoIn(replica, revoked)).toBeNull();
    jest.restoreAllMocks();
    await redis.restart();
    await areUp();
    heardOfKey(revoked);
    expect([await whoIn(replica, revoked), await whoIn(app.app, revoked)]).toEqual([null, null]);
  });

  it('and is frozen, nobody waits for it for long', async () => {
    const keys = [await makeKey(app, admin), await makeKey(app, admin)];
    redis.pause();
    try {
      for (const key of keys) {
        const begun = performance.now();
        expect(await whoIn(replica, key)).toBe(key.id);
        expect(performance.now() - begun).toBeLessThan(1_000);
      }
    } finally {
      redis.resume();
    }
  });
});
