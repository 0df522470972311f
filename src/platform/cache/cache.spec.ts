import { Redis } from 'ioredis';
import { startRedis, type TestRedis } from '../../../test/support/redis';
import { eventually } from '../../../test/support/wait';
import { Cache } from './cache';
import { RedisClient } from './redis';

declare global {
  var __pwned: boolean | undefined;
}

const POISON = { then: '_function_x|(ok)=>{ globalThis.__pwned = true }', nested: [{ toJSON: '_function_y|()=>1' }] };

describe('Cache', () => {
  let server: TestRedis;
  let raw: Redis;
  let client: RedisClient;
  let cache: Cache;

  beforeAll(async () => {
    server = await startRedis();
    raw = new Redis(`${server.url}/1`);
    client = new RedisClient({ url: server.url, name: 'test', db: 1 });
    await client.settled();
    cache = new Cache(client);
  });

  afterAll(async () => {
    client.close();
    raw.disconnect();
    await server.stop();
  });

  it('keeps what it is given in Redis, for as long as it is told', async () => {
    await cache.set('kept', { a: [1, 'two', null] }, 60_000);
    expect(await cache.get('kept')).toEqual({ a: [1, 'two', null] });
    expect(await raw.pttl('switchboard:cache:kept')).toBeGreaterThan(50_000);
    await cache.set('short', 1, 30);
    await eventually(async () => (await cache.get('short')) === undefined);
  });

  it('tells a cached null from nothing cached, and forgets what is deleted', async () => {
    await cache.set('null', null, 60_000);
    expect(await cache.get('null')).toBeNull();
    await cache.delete('null');
    expect(await cache.get('null')).toBeUndefined();
    expect(await raw.exists('switchboard:cache:null')).toBe(0);
  });

  it('runs no code out of a value put through it', async () => {
    await cache.set('poison', POISON, 60_000);
    expect(await cache.get('poison')).toEqual(POISON);
    expect(JSON.stringify(await cache.get('poison'))).toBe(JSON.stringify(POISON));
    expect(globalThis.__pwned).toBeUndefined();
  });

  it.each([
    ['an object', JSON.stringify(POISON)],
    ['a function text', JSON.stringify(POISON.then)],
    ['a text that breaks out of its place', `"{}","then":${JSON.stringify(POISON.then)},"v":"{}"`],
    ['a text that Keyv did not write', '"{not json"'],
    ['an envelope of another shape', JSON.stringify(JSON.stringify({ value: POISON }))],
  ])('takes %s planted in Redis for nothing cached', async (_what, planted) => {
    await raw.set('switchboard:cache:planted', planted);
    expect(await cache.get('planted')).toBeUndefined();
    expect(globalThis.__pwned).toBeUndefined();
  });

  it('runs the loader once for a stampede', async () => {
    let runs = 0;
    const load = async () => {
      runs += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
      return { run: runs };
    };
    const results = await Promise.all(Array.from({ length: 500 }, () => cache.wrap('stampede', 60_000, load)));
    expect(runs).toBe(1);
    expect(new Set(results.map((result) => result.run))).toEqual(new Set([1]));
    expect(await cache.wrap('stampede', 60_000, load)).toEqual({ run: 1 });
  });

  it('shares the error of a loader and does not keep it', async () => {
    const failing = () => Promise.reject(new Error('not now'));
    const both = await Promise.allSettled([cache.wrap('error', 1_000, failing), cache.wrap('error', 1_000, failing)]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await cache.wrap('error', 1_000, () => Promise.resolve('now'))).toBe('now');
  });

  it('does not keep what a loader finds after the key was deleted', async () => {
    let finish: ((value: string) => void) | undefined;
    const loading = cache.wrap('stale', 60_000, () => new Promise<string>((resolve) => (finish = resolve)));
    await eventually(() => finish !== undefined);
    await cache.delete('stale');
    finish?.('old');
    expect(await loading).toBe('old');
    expect(await cache.get('stale')).toBeUndefined();
  });

  it('counts hits and misses', async () => {
    const before = cache.statistics();
    await cache.get('nowhere');
    await cache.set('somewhere', 1, 1_000);
    await cache.get('somewhere');
    const { hits, misses } = cache.statistics();
    expect([hits - before.hits, misses - before.misses]).toEqual([1, 1]);
  });
});

describe('Cache without Redis', () => {
  it('keeps values in this process, bounded by their time', async () => {
    const client = new RedisClient({ url: undefined, name: 'off' });
    const cache = new Cache(client);
    await cache.set('a', { b: 1 }, 30);
    expect(await cache.get('a')).toEqual({ b: 1 });
    await eventually(async () => (await cache.get('a')) === undefined);
    expect(await cache.wrap('c', 1_000, () => Promise.resolve(3))).toBe(3);
    await cache.delete('c');
    expect(await cache.get('c')).toBeUndefined();
    expect(client.state).toBe('off');
    client.close();
  });
});
