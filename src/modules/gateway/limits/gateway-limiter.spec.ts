import { Logger } from '@nestjs/common';
import { keyWith, routeWith } from '../../../../test/support/gateway-limits';
import { startRedis, type TestRedis } from '../../../../test/support/redis';
import { eventually } from '../../../../test/support/wait';
import type { Actor } from '../../../common/actor';
import type { GatewayRoute } from '../gateway-route';
import { GatewayRedis } from '../gateway-redis';
import type { LimitVerdict } from '../proxy/parts';
import { Metrics } from '../../../platform/metrics/metrics';
import { GatewayLimitsMetrics } from './limits.metrics';
import { GatewayLimiter, type LimiterOptions } from './gateway-limiter';

/** So long that nothing of it becomes free during a test. */
const LONG_MS = 3_600_000;

const FREE = routeWith(null);
const SHOWN = 'switchboard_gateway_limits_';

describe('GatewayLimiter in one process', () => {
  const off = new GatewayRedis(undefined);
  let nowMs = 0;
  const limiterWith = (options: LimiterOptions = {}) => new GatewayLimiter(off, { nowMs: () => nowMs, ...options });
  const now = (verdict: LimitVerdict | null | Promise<LimitVerdict>): LimitVerdict => {
    if (verdict === null || verdict instanceof Promise) throw new Error('there is no verdict yet');
    return verdict;
  };

  it('says nothing where there is no limit', () => {
    expect(limiterWith().take(keyWith(null), FREE)).toBeNull();
  });

  it('lets the limit through and says when the next one passes, and it does', () => {
    const limiter = limiterWith();
    const key = keyWith(3);
    const passed = [1, 2, 3].map(() => now(limiter.take(key, FREE)));
    expect(passed).toEqual([2, 1, 0].map((remaining) => ({ allowed: true, limit: 3, remaining, resetS: 60 })));
    const refused = now(limiter.take(key, FREE));
    expect(refused).toMatchObject({ allowed: false, limit: 3, remaining: 0 });
    expect(refused.resetS).toBeGreaterThanOrEqual(1);
    nowMs += refused.resetS * 1_000;
    expect(now(limiter.take(key, FREE)).allowed).toBe(true);
  });

  it('takes of both limits or of none, and tells of the tighter one', () => {
    const limiter = limiterWith();
    const [key, route, wide] = [keyWith(5), routeWith(2), routeWith(100)];
    expect(now(limiter.take(key, route))).toMatchObject({ allowed: true, limit: 2, remaining: 1 });
    expect(now(limiter.take(key, route))).toMatchObject({ allowed: true, limit: 2, remaining: 0 });
    for (let i = 0; i < 10; i += 1) expect(now(limiter.take(key, route))).toMatchObject({ allowed: false, limit: 2 });
    expect(now(limiter.take(key, wide))).toMatchObject({ allowed: true, limit: 5, remaining: 2 });
    const others = keyWith(100);
    expect(now(limiter.take(others, route)).allowed).toBe(false); // the route's limit is everybody's
    expect(now(limiter.take(others, wide))).toMatchObject({ allowed: true, limit: 100 });
  });

  it('goes by a limit that was changed', () => {
    const limiter = limiterWith();
    const key = keyWith(1);
    expect([1, 2].map(() => now(limiter.take(key, FREE)).allowed)).toEqual([true, false]);
    const more = { ...key, requestsPerMinute: 3 };
    expect([1, 2, 3].map(() => now(limiter.take(more, FREE)).allowed)).toEqual([true, true, false]);
  });

  it('lets no more than the limit through around the border of two minutes', () => {
    nowMs = 0;
    const limiter = limiterWith();
    const key = keyWith(20);
    nowMs = 60_000 - ((Date.now() + 500) % 60_000);
    let allowed = 0;
    for (let i = 0; i < 200; i += 1) {
      if (now(limiter.take(key, FREE)).allowed) allowed += 1;
      nowMs += 5;
    }
    expect(allowed).toBe(20);
  });

  it('shows in the metrics that it counts alone, and how often it did', async () => {
    const limiter = limiterWith();
    const metrics = new Metrics();
    new GatewayLimitsMetrics(metrics, limiter);
    const shown = () =>
      Promise.all(['alone', 'processes', 'decided_alone_total'].map((name) => metrics.valueOf(`${SHOWN}${name}`)));
    expect(await shown()).toEqual([1, 1, 0]);
    const key = keyWith(1);
    for (let i = 0; i < 3; i += 1) now(limiter.take(key, FREE));
    expect(await shown()).toEqual([1, 1, 3]);
  });

  it('remembers no more keys than it may', () => {
    const limiter = limiterWith({ maxBuckets: 2 });
    const keys = [keyWith(1), keyWith(1), keyWith(1)];
    for (const key of keys) expect(now(limiter.take(key, FREE)).allowed).toBe(true);
    expect(now(limiter.take(keys[2]!, FREE)).allowed).toBe(false);
    expect(now(limiter.take(keys[0]!, FREE)).allowed).toBe(true); // forgotten meanwhile
  });
});

describe('GatewayLimiter in several processes', () => {
  Logger.overrideLogger(false);
  let server: TestRedis;
  const running: { limiter: GatewayLimiter; redis: GatewayRedis }[] = [];

  const startProcess = async (options: LimiterOptions = { windowMs: LONG_MS }) => {
    const redis = new GatewayRedis(server.url);
    await redis.settled();
    const limiter = new GatewayLimiter(redis, options);
    await limiter.start();
    running.push({ limiter, redis });
    return { limiter, redis };
  };
  const startTwo = async (options?: LimiterOptions) => {
    const two = [await startProcess(options), await startProcess(options)] as const;
    await eventually(async () => {
      await Promise.all(two.map(({ limiter }) => limiter.start()));
      return two.every(({ limiter }) => limiter.standing.processes === 2);
    });
    return two;
  };

  beforeEach(async () => {
    server = await startRedis();
  });
  afterEach(async () => {
    for (const { limiter, redis } of running.splice(0)) {
      await limiter.stop();
      redis.close();
    }
    await server.stop();
  });

  /** `offered` requests, so many at a time by turns at each process. @returns how many passed */
  async function offer(
    processes: readonly { limiter: GatewayLimiter }[],
    load: { key: Actor; route?: GatewayRoute; offered: number; atATime: number },
  ): Promise<number> {
    let passed = 0;
    for (let sent = 0; sent < load.offered; sent += load.atATime) {
      const asked = Array.from({ length: load.atATime }, async (_, i) =>
        processes[i % processes.length]!.limiter.take(load.key, load.route ?? FREE),
      );
      for (const verdict of await Promise.all(asked)) if (verdict?.allowed) passed += 1;
      await new Promise(setImmediate);
    }
    return passed;
  }

  /**
   * Redis answers in 50 ms or counts as away, which a busy machine may make it: a run counts during which it did answer. There
   * is one among a few, or the test fails.
   */
  async function undisturbed<T>(run: () => Promise<T>): Promise<T> {
    const outages = () => running.map(({ redis }) => redis.outages).join();
    for (let attempt = 0; attempt < 10; attempt += 1) {
      await eventually(() => running.every(({ redis }) => redis.state === 'up'));
      const before = outages();
      const outcome = await run();
      if (outages() === before) return outcome;
    }
    throw new Error('Redis did not answer in time during any of ten runs');
  }

  it.each([
    { what: 'slow', limit: 60, offered: 120, atATime: 2 },
    { what: 'slow', limit: 1_000, offered: 1_600, atATime: 2 },
    { what: 'brisk', limit: 3_000, offered: 6_000, atATime: 20 },
    { what: 'fast', limit: 20_000, offered: 60_000, atATime: 600 },
    { what: 'all at once', limit: 4_000, offered: 12_000, atATime: 12_000 },
  ])('lets $limit through within 2 % where $offered are offered ($what, two processes)', async (load) => {
    const two = await startTwo();
    const passed = await undisturbed(() => offer(two, { ...load, key: keyWith(load.limit) }));
    expect(passed).toBeGreaterThanOrEqual(load.limit * 0.98);
    expect(passed).toBeLessThanOrEqual(load.limit * 1.02);
  });

  it('holds where one process has had a share and fallen silent', async () => {
    const two = await startTwo();
    const passed = await undisturbed(async () => {
      const key = keyWith(5_000);
      const some = await offer(two, { key, offered: 1_000, atATime: 50 });
      return some + (await offer([two[1]], { key, offered: 8_000, atATime: 50 }));
    });
    expect(passed).toBeGreaterThanOrEqual(4_900);
    expect(passed).toBeLessThanOrEqual(5_100);
  });

  it('shares the limit of a route, whoever asks', async () => {
    const two = await startTwo();
    const passed = await undisturbed(async () => {
      const route = routeWith(2_000);
      const one = await offer([two[0]], { key: keyWith(null), route, offered: 1_500, atATime: 10 });
      return one + (await offer([two[1]], { key: keyWith(9_000), route, offered: 1_500, atATime: 10 }));
    });
    expect(passed).toBeGreaterThanOrEqual(1_960);
    expect(passed).toBeLessThanOrEqual(2_040);
  });

  it('answers without a promise where turns are held, and asks Redis seldom', async () => {
    const { limiter, redis } = await startProcess();
    const asked = () =>
      eventually(async () => {
        const statistics = await redis.use((r) => r.info('commandstats'));
        return /cmdstat_evalsha:calls=(\d+)/.exec(statistics ?? '')?.[1] ?? null;
      });
    const { waited, exchanges } = await undisturbed(async () => {
      const key = keyWith(1_000_000);
      const before = Number(await asked());
      const late: unknown[] = [];
      for (let i = 0; i < 20_000; i += 1) {
        const verdict = limiter.take(key, FREE);
        if (verdict instanceof Promise) late.push(await verdict);
      }
      return { waited: late.length, exchanges: Number(await asked()) - before };
    });
    expect(waited).toBeLessThanOrEqual(40);
    expect(exchanges).toBeLessThanOrEqual(100);
  });

  it('refuses without asking, once it is known that nothing is left', async () => {
    const { limiter } = await startProcess();
    const key = keyWith(10);
    await undisturbed(() => offer([{ limiter }], { key: keyWith(10), offered: 10, atATime: 1 }));
    for (let i = 0; i < 11; i += 1) await limiter.take(key, FREE);
    const verdict = limiter.take(key, FREE);
    expect(verdict).toMatchObject({ allowed: false, limit: 10, remaining: 0 });
  });

  it('gives back at the end what it holds, and is no process any more', async () => {
    const two = await startTwo();
    const key = keyWith(10_000);
    await undisturbed(() => offer(two, { key, offered: 200, atATime: 20 }));
    const count = async () => {
      const stored = await two[1].redis.use((redis) => redis.get(`switchboard:gateway:limit:key:${key.id}`));
      return Number(stored?.split(':')[1]);
    };
    await two[0].limiter.stop();
    await two[1].limiter.stop();
    await eventually(async () => (await count()) === 200);
    expect(await two[1].redis.use((redis) => redis.zcard('switchboard:gateway:processes'))).toBe(0);
  });

  it.each(['killed', 'frozen'] as const)(
    'holds within its bound where Redis is %s midway, and no request fails or goes on waiting',
    async (how) => {
      const two = await startTwo();
      const key = keyWith(2_000);
      const before = await offer(two, { key, offered: 800, atATime: 20 });
      expect(before).toBe(800);
      if (how === 'killed') await server.kill();
      else server.pause();
      const after = await offer(two, { key, offered: 4_000, atATime: 20 });
      expect(two.every(({ limiter }) => limiter.standing.alone)).toBe(true);
      for (const { limiter } of two) {
        const verdict = limiter.take(key, FREE);
        expect(verdict).toMatchObject({ allowed: false, limit: 2_000 });
        expect(limiter.standing.decidedAlone).toBeGreaterThan(0);
      }
      if (how === 'frozen') server.resume();
      // Each goes on to its half of what it knew to be left: both knew nearly everything.
      expect(before + after).toBeGreaterThanOrEqual(2_000 * 0.98);
      expect(before + after).toBeLessThanOrEqual(2_000 * 1.02);
    },
  );

  it('counts a key that it had not heard of against its half alone', async () => {
    const two = await startTwo();
    await server.kill();
    await eventually(() => two.every(({ limiter }) => limiter.standing.alone));
    const key = keyWith(100);
    expect(await offer([two[0]], { key, offered: 100, atATime: 1 })).toBe(50);
    expect(await offer([two[1]], { key, offered: 100, atATime: 1 })).toBe(50);
  });

  it('tells Redis afterwards what was taken while it was away', async () => {
    const two = await startTwo();
    const key = keyWith(1_000);
    server.pause();
    const alone = await offer([two[0]], { key, offered: 300, atATime: 10 });
    expect(alone).toBe(300);
    server.resume();
    const told = await eventually(async () => {
      const stored = await two[1].redis.use((redis) => redis.get(`switchboard:gateway:limit:key:${key.id}`));
      return Number(stored?.split(':')[1]) >= 300 && stored;
    });
    expect(told).toBeTruthy();
    const rest = await offer([two[1]], { key, offered: 2_000, atATime: 10 });
    expect(alone + rest).toBeLessThanOrEqual(1_020);
  });
});
