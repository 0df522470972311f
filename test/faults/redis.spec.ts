import { Cache } from '../../src/platform/cache/cache';
import { REDIS_WAIT_MS, RedisClient } from '../../src/platform/cache/redis';
import { RedisBreaker } from '../../src/platform/cache/redis-breaker';
import { RATE_LIMIT_SCRIPTS } from '../../src/platform/limits/rate-limit.script';
import { RateLimiter } from '../../src/platform/limits/rate-limiter';
import { startRedis, type TestRedis } from '../support/redis';
import { eventually } from '../support/wait';

/** A busy machine may add this much to any wait. */
const SLACK_MS = 150;

const timed = async <T>(work: () => Promise<T>): Promise<{ result: T; tookMs: number }> => {
  const begun = performance.now();
  return { result: await work(), tookMs: performance.now() - begun };
};

describe('with a Redis that goes away', () => {
  let server: TestRedis;
  let cacheRedis: RedisClient;
  let limitRedis: RedisClient;
  let cache: Cache;
  let limiter: RateLimiter;
  let uncaught: unknown[];
  const note = (error: unknown) => void uncaught.push(error);

  beforeEach(async () => {
    uncaught = [];
    process.on('unhandledRejection', note);
    process.on('uncaughtException', note);
    server = await startRedis();
    const breaker = new RedisBreaker();
    cacheRedis = new RedisClient({ url: server.url, name: 'cache', db: 1, breaker });
    limitRedis = new RedisClient({ url: server.url, name: 'limits', breaker, scripts: RATE_LIMIT_SCRIPTS });
    cache = new Cache(cacheRedis);
    limiter = new RateLimiter(limitRedis);
    await isUp();
  });

  afterEach(async () => {
    cacheRedis.close();
    limitRedis.close();
    await server.stop();
    process.off('unhandledRejection', note);
    process.off('uncaughtException', note);
    expect(uncaught).toEqual([]);
  });

  const isUp = () => eventually(() => cacheRedis.state === 'up' && limitRedis.state === 'up');
  const isAway = () => eventually(() => cacheRedis.state === 'away' && limitRedis.state === 'away');

  const round = async (key: string) => {
    await cache.set(key, { key }, 60_000);
    const [value, wrapped, verdict] = await Promise.all([
      cache.get(key),
      cache.wrap(`${key}-wrapped`, 60_000, () => Promise.resolve(key)),
      limiter.hit(key, 10, 60_000),
    ]);
    expect([value, wrapped, verdict.allowed]).toEqual([{ key }, key, true]);
  };

  it('answers everything while it is dead, without waiting, and uses it again when it is back', async () => {
    await round('before');
    await server.kill();
    await isAway();
    const { tookMs } = await timed(async () => {
      for (let i = 0; i < 200; i++) await round(`dead-${i}`);
    });
    expect(tookMs).toBeLessThan(200 * 5 + SLACK_MS);
    await server.restart();
    await isUp();
    await round('after');
    expect(await cacheRedis.use((redis) => redis.exists('switchboard:cache:after'))).toBe(1);
    expect(await limitRedis.use((redis) => redis.exists('switchboard:limit:after'))).toBe(1);
  });

  it('waits once while it is frozen, for 50 ms in the whole process, and not again', async () => {
    await round('before');
    server.pause();
    const first = await timed(() =>
      Promise.all(Array.from({ length: 100 }, () => limiter.hit('frozen', 1_000, 60_000))),
    );
    expect(first.tookMs).toBeLessThan(REDIS_WAIT_MS + SLACK_MS);
    expect(first.result.every(({ allowed }) => allowed)).toBe(true);
    const later = await timed(async () => {
      for (let i = 0; i < 100; i++) await round(`frozen-${i}`);
    });
    expect(later.tookMs).toBeLessThan(100 * 5 + SLACK_MS);
    server.resume();
    await isUp();
    await round('after');
  });

  it('answers a stampede that is under way when it freezes with one run of the loader', async () => {
    let runs = 0;
    server.pause();
    const { tookMs } = await timed(() =>
      Promise.all(Array.from({ length: 500 }, () => cache.wrap('s', 60_000, async () => ++runs))),
    );
    expect(runs).toBe(1);
    expect(tookMs).toBeLessThan(2 * REDIS_WAIT_MS + SLACK_MS);
    expect(await cache.get('s')).toBe(1);
    server.resume();
  });

  it('does not bring back, after an outage, what was deleted or changed during it', async () => {
    await cache.set('deleted', 'old', 60_000);
    await cache.set('changed', 'old', 60_000);
    server.pause();
    await cache.delete('deleted');
    await cache.set('changed', 'new', 60_000);
    expect([await cache.get('deleted'), await cache.get('changed')]).toEqual([undefined, 'new']);
    server.resume();
    await isUp();
    expect(await cache.get('deleted')).toBeUndefined();
    expect(await cache.get('changed')).not.toBe('old');
    await eventually(async () => (await cacheRedis.use((r) => r.exists('switchboard:cache:changed'))) === 0);
    await cache.set('changed', 'newest', 60_000);
    expect(await cache.get('changed')).toBe('newest');
  });

  it('counts on when the scripts that Redis knew are gone', async () => {
    await limiter.hit('script', 3, 600_000);
    await limitRedis.use((redis) => redis.script('FLUSH'));
    const verdicts = await Promise.all([1, 2, 3].map(() => limiter.hit('script', 3, 600_000)));
    expect(verdicts.filter(({ allowed }) => allowed)).toHaveLength(2);
  });

  it('takes a refused command for no answer, and stays up', async () => {
    await limitRedis.use((redis) => redis.lpush('switchboard:limit:list', 'x'));
    expect((await limiter.hit('list', 3, 60_000)).allowed).toBe(true);
    expect(limitRedis.state).toBe('up');
    expect(limitRedis.failures).toBe(1);
  });
});

describe('with a Redis that was never there', () => {
  it('starts within its second and works from memory', async () => {
    const server = await startRedis();
    await server.stop();
    const client = new RedisClient({ url: server.url, name: 'limits', scripts: RATE_LIMIT_SCRIPTS });
    const { tookMs } = await timed(() => client.settled());
    expect(tookMs).toBeLessThan(1_000 + SLACK_MS);
    expect(client.state).toBe('away');
    expect((await new RateLimiter(client).hit('a', 1, 60_000)).allowed).toBe(true);
    expect(await client.latencyMs()).toBeUndefined();
    client.close();
  });

  it('starts within its second with a frozen one, too', async () => {
    const server = await startRedis();
    server.pause();
    const client = new RedisClient({ url: server.url, name: 'limits' });
    const { tookMs } = await timed(() => client.settled());
    expect(tookMs).toBeLessThan(1_000 + SLACK_MS);
    expect(client.state).toBe('away');
    server.resume();
    await eventually(() => client.state === 'up');
    expect(await client.latencyMs()).toBeGreaterThan(0);
    client.close();
    await server.stop();
  });
});
