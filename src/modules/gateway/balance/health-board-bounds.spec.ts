import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { keyWith, routeWith } from '../../../../test/support/gateway-limits';
import { startRedis, type TestRedis } from '../../../../test/support/redis';
import { eventually } from '../../../../test/support/wait';
import { newId } from '../../../common/ids';
import { GatewayRedis, HealthRedis } from '../gateway-redis';
import { GatewayLimiter } from '../limits/gateway-limiter';
import { addressKey } from './address-key';
import { HealthBoard } from './health-board';
import type { BoardRedis } from './health-board.script';
import { UpstreamPools } from './upstream-pools';
import { UpstreamTargets } from './upstream-targets';

const TENANTS = 40;
const UPSTREAMS = 500;
/** Of a base path: what an address may be long. */
const PATH = 'p'.repeat(1_500);
/** Characters that one call may tell, the words of one tenant being as long as they may be. */
const CALL_MAX = 80 * 1024;
const ATTEMPTS = 10;

/** Notes what is sent over the connection. */
class WatchedRedis extends HealthRedis {
  /** Characters of each call that told something. */
  readonly told: number[] = [];
  /** Processes that each call asked for. */
  readonly asked: number[] = [];

  override use<T>(work: (redis: Redis) => Promise<T>): Promise<T | undefined> {
    return super.use((redis) => work(this.noting(redis as BoardRedis)));
  }

  private noting(redis: BoardRedis): Redis {
    const noted: Partial<BoardRedis> = {
      healthTell: (...sent) => {
        this.told.push(sent.reduce<number>((sum, each) => sum + String(each).length, 0));
        return redis.healthTell(...sent);
      },
      healthAsk: (board, countsMs, ...processes) => {
        this.asked.push(processes.length);
        return redis.healthAsk(board, countsMs, ...processes);
      },
      hkeys: (board: string) => redis.hkeys(board),
    };
    return noted as unknown as Redis;
  }
}

describe('HealthBoard with much to tell', () => {
  Logger.overrideLogger(false);
  let server: TestRedis;
  let limits: GatewayRedis;
  let limiter: GatewayLimiter;
  const health: HealthRedis[] = [];
  const pools = new UpstreamPools({ mayConnect: () => false, resolve: () => Promise.resolve([]) });
  const tenants = Array.from({ length: TENANTS }, newId);
  const urls = Array.from({ length: UPSTREAMS }, (_, n) => `http://u${n}.test/${PATH}`);

  beforeAll(async () => {
    server = await startRedis();
    limits = new GatewayRedis(server.url);
    await limits.settled();
    limiter = new GatewayLimiter(limits);
    await limiter.start();
  });
  afterAll(async () => {
    await limiter.stop();
    for (const redis of [limits, ...health]) redis.close();
    await pools.close();
    await server.stop();
  });

  const startProcess = async () => {
    const redis = new WatchedRedis(server.url);
    health.push(redis);
    await redis.settled();
    const targets = new UpstreamTargets(pools);
    return { redis, targets, board: new HealthBoard(redis, targets) };
  };

  /** What all have said, once Redis has answered in its 50 ms. */
  const viewsOf = (board: HealthBoard, tenantId: string, asked: string[]) =>
    eventually(async () => {
      const { views, shared } = await board.ask(tenantId, asked);
      if (!shared) throw new Error('Redis did not answer in time');
      return views;
    });

  it('tells it in small calls, and limits are shared all the while', async () => {
    const [one, two] = [await startProcess(), await startProcess()];
    for (const tenantId of tenants) for (const url of urls) one.targets.of(tenantId, url);
    const telling = async (): Promise<number> => {
      let decided = 0;
      let done = false;
      const told = one.board.tell().finally(() => (done = true));
      while (!done) {
        // A key of its own each time: somebody waits for Redis.
        if ((await limiter.take(keyWith(1_000), routeWith(null)))?.allowed) decided += 1;
        await new Promise(setImmediate);
      }
      await told;
      return decided;
    };
    // Redis answers in 50 ms or counts as away, which a busy machine may make it: a round counts that was not disturbed.
    let undisturbed = false;
    for (let attempt = 0; attempt < ATTEMPTS && !undisturbed; attempt += 1) {
      await eventually(() => [one.redis, limits].every(({ state }) => state === 'up'));
      const before = [one.redis.outages, limits.outages, limiter.standing.decidedAlone].join();
      one.redis.told.length = 0;
      expect(await telling()).toBeGreaterThan(0);
      undisturbed = [one.redis.outages, limits.outages, limiter.standing.decidedAlone].join() === before;
    }
    expect(undisturbed).toBe(true);
    expect(one.redis.told.length).toBeGreaterThanOrEqual(TENANTS / 2);
    expect(Math.max(...one.redis.told)).toBeLessThan(CALL_MAX);
    for (const tenantId of tenants) {
      const views = await viewsOf(two.board, tenantId, [urls[0]!, urls[UPSTREAMS - 1]!, 'http://other.test']);
      expect(views.map(({ key, state }) => [key, state])).toEqual(
        [urls[0]!, urls[UPSTREAMS - 1]!].map((url) => [addressKey(url), 'healthy']),
      );
    }
  });

  it('tells of many small tenants together, and stops where Redis goes', async () => {
    const one = await startProcess();
    for (let n = 0; n < 300; n += 1) one.targets.of(newId(), urls[n]!);
    await eventually(() => one.redis.state === 'up');
    await one.board.tell();
    expect(one.redis.told).toHaveLength(1);
    const { redis } = one;
    jest.spyOn(redis, 'use').mockResolvedValueOnce(undefined);
    for (const tenantId of tenants) for (const url of urls) one.targets.of(tenantId, url);
    await one.board.tell();
    expect(redis.told).toHaveLength(1);
  });

  it('asks for the words of a few processes at a time, and takes those of all', async () => {
    const one = await startProcess();
    const tenantId = newId();
    const view = { key: addressKey('http://a.test'), state: 'healthy', failuresInARow: 0, untilMs: null, inFlight: 1 };
    const word = `${Date.now()}:${JSON.stringify([{ ...view, latencyMs: null }])}`;
    const words = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`process-${n}`, word]));
    await eventually(() => limits.use((redis) => redis.hset(`switchboard:gateway:health:${tenantId}`, words)));
    expect(await viewsOf(one.board, tenantId, ['http://a.test'])).toHaveLength(50);
    expect(Math.max(...one.redis.asked)).toBeLessThanOrEqual(4);
  });

  it('takes no limits with it where its own connection stands still', async () => {
    const redis = new HealthRedis(server.url);
    health.push(redis);
    await eventually(() => redis.state === 'up' && limits.state === 'up');
    const before = limits.outages;
    await redis.use((connection) => connection.blpop('nothing', 1));
    expect([redis.state, limits.state, limits.outages]).toEqual(['away', 'up', before]);
  });
});
