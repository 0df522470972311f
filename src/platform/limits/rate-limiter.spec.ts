import { startRedis, type TestRedis } from '../../../test/support/redis';
import { RedisClient } from '../cache/redis';
import { RATE_LIMIT_SCRIPTS } from './rate-limit.script';
import { RateLimiter } from './rate-limiter';

const MINUTE_MS = 60_000;
const OFF = new RedisClient({ url: undefined, name: 'off' });

const allowedOf = (verdicts: { allowed: boolean }[]) => verdicts.filter(({ allowed }) => allowed).length;

describe('RateLimiter in memory', () => {
  it('lets the limit through, then says when the next hit passes, and it does', async () => {
    let nowMs = 10 * MINUTE_MS;
    const limiter = new RateLimiter(OFF, () => nowMs);
    for (const remaining of [2, 1, 0])
      expect(await limiter.hit('a', 3, MINUTE_MS)).toMatchObject({ allowed: true, remaining });
    const refused = await limiter.hit('a', 3, MINUTE_MS);
    expect(refused).toMatchObject({ allowed: false, remaining: 0 });
    nowMs += refused.retryAfterMs - 2;
    expect((await limiter.hit('a', 3, MINUTE_MS)).allowed).toBe(false);
    nowMs += 2;
    expect((await limiter.hit('a', 3, MINUTE_MS)).allowed).toBe(true);
    expect((await limiter.hit('b', 3, MINUTE_MS)).allowed).toBe(true);
  });

  it('lets no more than the limit through around the border of two windows', async () => {
    let nowMs = 11 * MINUTE_MS - 500;
    const limiter = new RateLimiter(OFF, () => nowMs);
    const verdicts = [];
    for (let i = 0; i < 200; i++) {
      verdicts.push(await limiter.hit('a', 20, MINUTE_MS));
      nowMs += 5;
    }
    expect(allowedOf(verdicts)).toBe(20);
  });

  it('lets hits through after the time it named, and is full again after another window', async () => {
    let nowMs = 5 * MINUTE_MS + 30_000;
    const limiter = new RateLimiter(OFF, () => nowMs);
    const { resetMs } = await limiter.hit('a', 4, MINUTE_MS);
    await limiter.hit('a', 4, MINUTE_MS);
    nowMs += resetMs;
    expect(await limiter.hit('a', 4, MINUTE_MS)).toMatchObject({ allowed: true, remaining: 2 });
    nowMs += 2 * MINUTE_MS;
    expect(await limiter.hit('a', 4, MINUTE_MS)).toMatchObject({ allowed: true, remaining: 3 });
  });

  it.each([0, 2_000, 30_000, 59_999])(
    'names no more than a window %i ms into one, and never less than the wait',
    async (intoMs) => {
      const limiter = new RateLimiter(OFF, () => 5 * MINUTE_MS + intoMs);
      const verdicts = [];
      for (let i = 0; i < 5; i++) verdicts.push(await limiter.hit('a', 4, MINUTE_MS));
      for (const { resetMs, retryAfterMs } of verdicts) {
        expect(resetMs).toBeLessThanOrEqual(Math.max(MINUTE_MS, retryAfterMs));
        expect(resetMs).toBeGreaterThanOrEqual(retryAfterMs);
      }
      expect(verdicts[0]?.resetMs).toBe(MINUTE_MS);
    },
  );

  it('counts a limit of one', async () => {
    let nowMs = 7 * MINUTE_MS + 1;
    const limiter = new RateLimiter(OFF, () => nowMs);
    expect((await limiter.hit('a', 1, MINUTE_MS)).allowed).toBe(true);
    const { allowed, retryAfterMs } = await limiter.hit('a', 1, MINUTE_MS);
    expect(allowed).toBe(false);
    nowMs += retryAfterMs;
    expect((await limiter.hit('a', 1, MINUTE_MS)).allowed).toBe(true);
  });
});

describe('RateLimiter on Redis', () => {
  let server: TestRedis;
  const clients: RedisClient[] = [];

  const newLimiter = async () => {
    const client = new RedisClient({ url: server.url, name: 'limits', scripts: RATE_LIMIT_SCRIPTS });
    clients.push(client);
    await client.settled();
    expect(client.state).toBe('up');
    return new RateLimiter(client);
  };

  beforeAll(async () => {
    server = await startRedis();
  });

  afterAll(async () => {
    for (const client of clients) client.close();
    await server.stop();
  });

  it('is shared: two processes together let the limit through', async () => {
    const [one, two] = [await newLimiter(), await newLimiter()];
    // A few at a time: beyond 50 ms a Redis counts as away, and a busy machine has many such.
    let allowed = 0;
    for (let round = 0; round < 30; round += 1) {
      const hits = Array.from({ length: 10 }, (_, i) => (i % 2 ? one : two).hit('shared', 100, 600_000));
      allowed += allowedOf(await Promise.all(hits));
    }
    expect(allowed).toBe(100);
  });

  it('answers as the memory does', async () => {
    const limiter = await newLimiter();
    const first = await limiter.hit('same', 2, 600_000);
    expect(first).toMatchObject({ allowed: true, remaining: 1, retryAfterMs: 0 });
    expect(first.resetMs).toBe(600_000);
    expect(await limiter.hit('same', 2, 600_000)).toMatchObject({ allowed: true, remaining: 0 });
    const refused = await limiter.hit('same', 2, 600_000);
    expect(refused.allowed).toBe(false);
    expect(refused.retryAfterMs).toBeGreaterThan(0);
    expect(refused.retryAfterMs).toBeLessThanOrEqual(1_200_000);
  });

  it('leaves nothing in Redis for ever', async () => {
    const limiter = await newLimiter();
    await limiter.hit('gone', 5, 1_000);
    const ttl = await clients.at(-1)?.use((redis) => redis.pttl('switchboard:limit:gone'));
    expect(ttl).toBeGreaterThan(0);
    expect(ttl).toBeLessThanOrEqual(2_000);
  });
});
