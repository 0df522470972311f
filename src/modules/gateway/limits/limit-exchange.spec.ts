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
