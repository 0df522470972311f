import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Redis } from 'ioredis';
import { newId } from '../../src/common/ids';
import { RouteDirectory } from '../../src/modules/gateway/routes/route-directory.service';
import { GatewayRoutesRepository } from '../../src/modules/gateway/routes/gateway-routes.repository';
import { SecretBox } from '../../src/platform/crypto/secret-box';
import { EventBus } from '../../src/platform/events/domain-events';
import { SharedEvents } from '../../src/platform/events/shared-events';
import { createTestApp } from '../support/app';
import { makeRoute } from '../support/gateway-routes';
import type { HttpClient } from '../support/http-client';
import { startRedis, type TestRedis } from '../support/redis';
import { redisIsUpFor, whileRedisIsUp } from '../support/redis-clients';
import { startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import { ask, inTime, questions, targetIn } from './gateway-directory.harness';

let redis: TestRedis;
let raw: Redis;
let app: TestApp;
let replica: NestFastifyApplication;
let here: RouteDirectory;
let there: RouteDirectory;

beforeAll(async () => {
  redis = await startRedis();
  raw = new Redis(`${redis.url}/1`);
  raw.on('error', () => undefined);
  const config = { REDIS_URL: redis.url, ROLE: 'api' };
  app = await startTestApp({ config });
  replica = await createTestApp({ ...config, DATABASE_URL: app.db.ownerUrl });
  // What a process hears of the other is told by each test.
  for (const each of [app.app, replica]) each.get(SharedEvents).onApplicationShutdown();
  [here, there] = [app.app.get(RouteDirectory), replica.get(RouteDirectory)];
});

afterAll(async () => {
  raw.disconnect();
  await replica.close();
  await app.close();
  await redis.stop();
});

/** A tenant of its own, and its administrator. */
async function newTenant(): Promise<{ tenantId: string; http: HttpClient }> {
  const tenantId = await app.make.tenant();
  return { tenantId, http: (await app.login('TENANT_ADMIN', tenantId)).http };
}

const areUp = () => redisIsUpFor(app.app, replica);

describe('the tables of routes', () => {
  it('are read in one query however many ask at once, then from memory without a promise', async () => {
    const { tenantId, http } = await newTenant();
    await makeRoute(http, { path: '/shop' });
    await areUp();
    const [tables, asked] = await questions(replica, () =>
      Promise.all(Array.from({ length: 100 }, async () => there.of(tenantId))),
    );
    expect(asked).toEqual(['load']);
    expect(new Set(tables).size).toBe(1);
    expect(there.of(tenantId)).toBe(tables[0]);
    expect(await ask(there, tenantId)).toBe('/shop/x');
  });

  it('are read in one query by all processes that miss them at once, and once more by all after a change', () =>
    whileRedisIsUp([app.app, replica], async () => {
      const { tenantId, http } = await newTenant();
      const { id } = await makeRoute(http, { path: '/shop' });
      const everywhere = () => Promise.all([here, there].flatMap((each) => [ask(each, tenantId), ask(each, tenantId)]));
      for (const change of [null, { rewrite: '/v1' }]) {
        if (change) await http.call('PATCH', `/gateway/routes/${id}`, change);
        replica.get(EventBus).elsewhere('gateway.changed', { tenantId });
        const [[found, asked], others] = await questions(app.app, () => questions(replica, everywhere));
        expect(found).toEqual(Array(4).fill(change ? '/v1/x' : '/shop/x'));
        expect([...asked, ...others]).toEqual(['load']);
      }
    }));

  it('of a tenant without routes are empty, and known as well', async () => {
    const { tenantId } = await newTenant();
    const [, asked] = await questions(replica, async () => {
      expect(await ask(there, tenantId)).toBeNull();
      expect(await ask(there, tenantId)).toBeNull();
    });
    expect(asked).toEqual(['load']);
  });

  it('show a change that was made here to the very next request here', async () => {
    const { tenantId, http } = await newTenant();
    const { id } = await makeRoute(http, { path: '/shop' });
    for (let n = 0; n < 20; n += 1) {
      await http.call('PATCH', `/gateway/routes/${id}`, { rewrite: `/v${n}` });
      expect(await ask(here, tenantId)).toBe(`/v${n}/x`);
    }
    await http.delete(`/gateway/routes/${id}`);
    expect(await ask(here, tenantId)).toBeNull();
  });

  it('show a change to another process once that hears of it, and after 5 s where it does not', async () => {
    const { tenantId, http } = await newTenant();
    const { id } = await makeRoute(http, { path: '/shop' });
    await ask(there, tenantId);
    await http.call('PATCH', `/gateway/routes/${id}`, { rewrite: '/v1' });
    expect(await ask(there, tenantId)).toBe('/shop/x');
    replica.get(EventBus).committed('gateway.changed', { tenantId });
    expect(await ask(there, tenantId)).toBe('/v1/x');
    await http.call('PATCH', `/gateway/routes/${id}`, { rewrite: '/v2' });
    expect(await inTime(3_000, () => ask(there, tenantId))).toBe('/v1/x');
    expect(await inTime(5_001, () => ask(there, tenantId))).toBe('/v2/x');
  });

  it('are asked for anew before their time is over, beside the requests', async () => {
    const { tenantId, http } = await newTenant();
    const { id } = await makeRoute(http, { path: '/shop' });
    const table = await there.of(tenantId);
    await http.call('PATCH', `/gateway/routes/${id}`, { rewrite: '/v1' });
    await inTime(4_000, async () => {
      expect(there.of(tenantId)).toBe(table);
      await eventually(async () => (await ask(there, tenantId)) === '/v1/x');
    });
  });

  it('that have not changed are not read again', async () => {
    const { tenantId, http } = await newTenant();
    await makeRoute(http, { path: '/shop' });
    const table = await there.of(tenantId);
    const [same, asked] = await questions(replica, () => inTime(5_001, async () => there.of(tenantId)));
    expect(same).toBe(table);
    expect(asked).not.toContain('load');
  });

  it('are taken from Redis by a process that has none, sealed, and only if nobody touched them', async () => {
    const { tenantId, http } = await newTenant();
    await makeRoute(http, { path: '/shop', headers: { set: { authorization: 'a-secret' } } });
    const kept = async () => {
      const names = (await raw.keys('*')).filter((name) => name.includes(`gateway-routes:${tenantId}`));
      return names[0] ?? '';
    };
    await areUp();
    await ask(here, tenantId);
    const name = await kept();
    const value = await raw.get(name);
    expect(value).toMatch(/v1\./);
    expect(value).not.toMatch(/shop|secret/);
    const [, asked] = await questions(replica, () => ask(there, tenantId));
    expect(asked).toEqual([]);

    const poison = [
      { id: newId(), path: '/shop', path_type: 'prefix', upstreams: [{ url: 'http://169.254.169.254' }] },
    ];
    const forget = () => replica.get(EventBus).committed('gateway.changed', { tenantId });
    for (const text of [
      JSON.stringify(poison),
      value?.replace(/..("[^"]*)$/, 'AA$1') ?? '',
      '{"then":"_function_x|x"}',
      'x',
    ]) {
      // As whoever could write to Redis would: in the envelope of the cache, and without it.
      for (const stored of [text, JSON.stringify(JSON.stringify({ value: [text] }))]) {
        await raw.set(name, stored, 'PX', 60_000);
        forget();
        const table = await there.of(tenantId);
        const match = await table.match('GET', 'h', '/shop/x');
        expect(match?.route.upstreams).toEqual([{ url: 'https://1.1.1.1', weight: 1 }]);
      }
    }
  });

  it('are right though the version that Redis holds is nonsense', async () => {
    const { tenantId, http } = await newTenant();
    await makeRoute(http, { path: '/shop' });
    await areUp();
    await ask(here, tenantId);
    const name = `switchboard:facts:routes-1:${tenantId}:value`;
    const [epoch, generation, sealed] = ((await raw.get(name)) ?? '').split(' ');
    expect(sealed).toMatch(/^v1\./);
    for (const version of [-1, 1e300, null, 'x', { toString: 'x' }, [1]]) {
      const fact = JSON.stringify({ about: `routes:${tenantId}`, value: { version }, atMs: Date.now() });
      // As whoever could write to Redis would leave it, and as another version of the service might.
      for (const text of [fact, replica.get(SecretBox).seal(fact, name)]) {
        await raw.set(name, `${epoch} ${generation} ${text}`, 'PX', 60_000);
        replica.get(EventBus).committed('gateway.changed', { tenantId });
        expect([version, await ask(there, tenantId)]).toEqual([version, '/shop/x']);
      }
    }
  });

  it('keep nothing of a load that began before a change', async () => {
    const { tenantId, http } = await newTenant();
    const { id } = await makeRoute(http, { path: '/shop' });
    const repository = replica.get(GatewayRoutesRepository);
    const original = repository.load.bind(repository);
    let release: (() => void) | undefined;
    const spy = jest.spyOn(repository, 'load').mockImplementationOnce(async (tenant) => {
      const read = await original(tenant);
      await new Promise<void>((resolve) => (release = resolve));
      return read;
    });
    await raw.flushdb();
    const early = there.of(tenantId);
    await eventually(() => release !== undefined);
    await http.call('PATCH', `/gateway/routes/${id}`, { rewrite: '/v1' });
    replica.get(EventBus).committed('gateway.changed', { tenantId });
    const late = there.of(tenantId);
    release?.();
    expect(await targetIn(await early)).toBe('/shop/x');
    expect(await targetIn(await late)).toBe('/v1/x');
    expect(await ask(there, tenantId)).toBe('/v1/x');
    expect(await inTime(5_001, () => ask(there, tenantId))).toBe('/v1/x');
    spy.mockRestore();
  });

  describe('when neither Redis nor the database answers', () => {
    const failing = (name: 'load' | 'version', answer: () => Promise<never>) =>
      jest.spyOn(replica.get(GatewayRoutesRepository), name).mockImplementation(answer);

    it('serve for 30 s more, and then not', async () => {
      const { tenantId, http } = await newTenant();
      await makeRoute(http, { path: '/shop' });
      await ask(there, tenantId);
      await raw.flushdb();
      const spies = [
        failing('load', () => Promise.reject(new Error('away'))),
        failing('version', () => Promise.reject(new Error('away'))),
      ];
      expect(await inTime(6_000, () => ask(there, tenantId))).toBe('/shop/x');
      expect(await inTime(34_000, () => ask(there, tenantId))).toBe('/shop/x');
      await expect(inTime(36_000, () => ask(there, tenantId))).rejects.toThrow('away');
      const calls = spies.map((spy) => spy.mock.calls.length);
      for (const spy of spies) spy.mockRestore();
      // Not asked for each request: a second has to go by.
      expect(calls.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(3);
      expect(await inTime(36_000, () => ask(there, tenantId))).toBe('/shop/x');
    });

    it('make nobody wait for long who has a former one', async () => {
      const { tenantId, http } = await newTenant();
      await makeRoute(http, { path: '/shop' });
      await ask(there, tenantId);
      await raw.flushdb();
      const { promise: silence, reject: giveUp } = Promise.withResolvers<never>();
      const spies = (['load', 'version'] as const).map((name) => failing(name, () => silence));
      expect(await inTime(6_000, () => ask(there, tenantId))).toBe('/shop/x');
      for (const spy of spies) spy.mockRestore();
      giveUp(new Error('Out of time')); // as every statement is in the end
      replica.get(EventBus).committed('gateway.changed', { tenantId });
      expect(await ask(there, tenantId)).toBe('/shop/x');
    });

    it('tell of the failure where there is none', async () => {
      const { tenantId } = await newTenant();
      const spy = failing('load', () => Promise.reject(new Error('away')));
      await expect(ask(there, tenantId)).rejects.toThrow('away');
      spy.mockRestore();
      expect(await ask(there, tenantId)).toBeNull();
    });
  });

  it('are right without Redis, and when it is back', async () => {
    const { tenantId, http } = await newTenant();
    const { id } = await makeRoute(http, { path: '/shop' });
    await ask(there, tenantId);
    await redis.kill();
    await http.call('PATCH', `/gateway/routes/${id}`, { rewrite: '/v1' });
    expect(await ask(here, tenantId)).toBe('/v1/x');
    expect(await inTime(5_001, () => ask(there, tenantId))).toBe('/v1/x');
    await redis.restart();
    await areUp();
    await http.call('PATCH', `/gateway/routes/${id}`, { rewrite: '/v2' });
    expect(await ask(here, tenantId)).toBe('/v2/x');
    // What it remembers of the time without Redis may serve for a second more.
    await eventually(async () => {
      replica.get(EventBus).committed('gateway.changed', { tenantId });
      return (await ask(there, tenantId)) === '/v2/x';
    });
  });
});
