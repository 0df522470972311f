import { Logger } from '@nestjs/common';
import { keyWith, routeWith } from '../../../../test/support/gateway-limits';
import { startRedis, type TestRedis } from '../../../../test/support/redis';
import { eventually } from '../../../../test/support/wait';
import { GatewayRedis } from '../gateway-redis';
import { GatewayLimiter } from './gateway-limiter';
import { LimitBucket } from './limit-bucket';

const HOUR_MS = 3_600_000;

/** Lets a test do something right after an answer, when those who waited for it have gone on. */
class WatchedRedis extends GatewayRedis {
  afterNext: (() => void) | undefined;

  override async use<T>(work: Parameters<typeof GatewayRedis.prototype.use<T>>[0]): Promise<T | undefined> {
    const answer = await super.use(work);
    const { afterNext } = this;
    this.afterNext = undefined;
    if (afterNext) setImmediate(afterNext);
    return answer;
  }
}

describe('LimitExchange', () => {
  Logger.overrideLogger(false);
  let server: TestRedis;
  let redis: WatchedRedis;
  let limiter: GatewayLimiter;

  beforeEach(async () => {
    server = await startRedis();
    redis = new WatchedRedis(server.url);
    await redis.settled();
    limiter = new GatewayLimiter(redis, { windowMs: HOUR_MS });
    await limiter.start();
  });
  afterEach(async () => {
    await limiter.stop();
    redis.close();
    await server.stop();
  });

  it('leaves nobody waiting who asks for a second limit just before Redis goes', async () => {
    redis.afterNext = () => void server.kill();
    const verdict = await limiter.take(keyWith(1_000), routeWith(1_000));
    expect(verdict).toMatchObject({ allowed: true, limit: 1_000 });
  });

  it('counts the others of a call where the value of one is of another kind, which it writes over', async () => {
    const [odd, well] = [keyWith(1_000), keyWith(1_000)];
    const stored = `switchboard:gateway:limit:key:${odd.id}`;
    await eventually(() => redis.use((connection) => connection.lpush(stored, 'x')));
    const verdicts = await eventually(async () => {
      const alone = limiter.standing.decidedAlone;
      const taken = await Promise.all([odd, well].map(async (key) => limiter.take(key, routeWith(null))));
      return limiter.standing.decidedAlone === alone && taken;
    });
    expect(verdicts).toMatchObject([{ allowed: true }, { allowed: true }]);
    const kind = await eventually(() => redis.use((connection) => connection.type(stored)));
    expect(kind).toBe('string');
  });

  it('keeps what it could not give back where Redis has surely not heard of it, and only there', () => {
    const bucket = new LimitBucket('key:x', 1_000, HOUR_MS);
    bucket.accept({ nowMs: 0, index: 0, current: 10, previous: 0, granted: 10 }, []);
    const first = bucket.wish(10);
    expect(bucket.turns).toBe(0);
    bucket.untell(first, true);
    expect(bucket.turns).toBe(10);
    bucket.untell(bucket.wish(10), false);
    expect(bucket.turns).toBe(0);
  });
});

describe('the processes among which a limit is divided with Redis away', () => {
  Logger.overrideLogger(false);
  let server: TestRedis;
  const running: Process[] = [];

  /** A process whose clock can be put forward. */
  interface Process {
    limiter: GatewayLimiter;
    redis: GatewayRedis;
    clock: { aheadMs: number };
  }
  const startProcess = async (): Promise<void> => {
    const redis = new GatewayRedis(server.url);
    await redis.settled();
    const clock = { aheadMs: 0 };
    const limiter = new GatewayLimiter(redis, {
      windowMs: HOUR_MS,
      nowMs: () => performance.now() + clock.aheadMs,
    });
    running.push({ limiter, redis, clock });
  };
  const passed = async ({ limiter }: Process, key = keyWith(1_000), times = 1): Promise<number> => {
    let allowed = 0;
    for (let i = 0; i < times; i += 1) if ((await limiter.take(key, routeWith(null)))?.allowed) allowed += 1;
    return allowed;
  };
  /** Among how many each divides, once that is so and all have reported. */
  const become = (...wanted: number[]) =>
    eventually(async () => {
      for (const { limiter } of running) await limiter.start();
      return running.map(({ limiter }) => limiter.standing.processes).join() === wanted.join();
    });
  const away = async () => {
    await server.kill();
    await eventually(() => running.every(({ limiter }) => limiter.standing.alone));
  };

  beforeEach(async () => {
    server = await startRedis();
    for (let i = 0; i < 3; i += 1) await startProcess();
  });
  afterEach(async () => {
    for (const { limiter, redis } of running.splice(0)) {
      await limiter.stop();
      redis.close();
    }
    await server.stop();
  });

  it('are those that were asked lately: one that was not takes nothing of it away, and has its part of all', async () => {
    const [one, two, idle] = running as [Process, Process, Process];
    await become(3, 3, 3);
    await eventually(async () => (await passed(one)) + (await passed(two)) === 2);
    await become(2, 2, 3);
    await away();
    const key = keyWith(300);
    expect([await passed(one, key, 400), await passed(two, key, 400)]).toEqual([150, 150]);
    expect(await passed(idle, key, 400)).toBe(100);
  });

  it('are all there are where none was asked, however many begin to be', async () => {
    await become(3, 3, 3);
    await away();
    const key = keyWith(300);
    for (const each of running) expect(await passed(each, key, 400)).toBe(100);
  });

  it('are fewer once one of them was not asked for a minute, and more at its next request', async () => {
    const [one, two] = running as [Process, Process, Process];
    await eventually(async () => (await passed(one)) + (await passed(two)) === 2);
    await become(2, 2, 3);
    await eventually(async () => {
      two.clock.aheadMs += 61_000; // what it was asked last may not have been looked at before
      await two.limiter.start();
      return two.limiter.standing.processes === 3;
    });
    await become(1, 3, 3);
    expect(await passed(two)).toBe(1);
    await become(2, 2, 3);
    await two.limiter.stop();
    running.splice(1, 1);
    two.redis.close();
    await become(1, 2);
  });

  it('are those that spend what they hold, too', async () => {
    const [one, two] = running as [Process, Process, Process];
    const key = keyWith(100_000);
    await eventually(async () => (await passed(one)) + (await passed(two, key)) === 2);
    await become(2, 2, 3);
    for (let second = 0; second < 70; second += 10) {
      two.clock.aheadMs += 10_000;
      const verdict = two.limiter.take(key, routeWith(null));
      expect(await verdict).toMatchObject({ allowed: true });
      await become(2, 2, 3);
    }
  });
});
