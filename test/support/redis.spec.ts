import { Redis } from 'ioredis';
import { isAlive } from '../../src/embedded/processes';
import { startRedis, type TestRedis } from './redis';
import { eventually } from './wait';

describe('startRedis', () => {
  let redis: TestRedis;
  let client: Redis;

  beforeAll(async () => {
    redis = await startRedis();
    client = new Redis(redis.url, { retryStrategy: () => 10, maxRetriesPerRequest: null });
    client.on('error', () => undefined);
  });

  afterAll(async () => {
    client.disconnect();
    await redis.stop();
  });

  it('is silent while paused and answers after', async () => {
    redis.pause();
    let answered = false;
    const set = client.set('key', 'value').then(() => (answered = true));
    const again = new Redis(redis.url, { commandTimeout: 100, disconnectTimeout: 10, retryStrategy: () => null });
    again.on('error', () => undefined);
    await expect(again.ping()).rejects.toThrow();
    again.disconnect();
    expect(answered).toBe(false);
    redis.resume();
    await set;
    expect(answered).toBe(true);
  });

  it('comes back empty on the same port after it was killed', async () => {
    await client.set('key', 'value');
    const before = redis.pid;
    await redis.kill();
    expect(isAlive(before)).toBe(false);
    await redis.restart();
    expect(redis.pid).not.toBe(before);
    await eventually(async () => expect(await client.get('key')).toBeNull());
  });

  it('listens on the loopback address only', async () => {
    expect(await client.config('GET', 'bind')).toEqual(['bind', '127.0.0.1']);
    expect(await client.config('GET', 'save')).toEqual(['save', '']);
  });
});
