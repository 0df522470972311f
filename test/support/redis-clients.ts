import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { CACHE_REDIS } from '../../src/platform/cache/cache.module';
import { RedisClient } from '../../src/platform/cache/redis';
import { eventually } from './wait';

const ATTEMPTS = 5;

const clientsOf = (apps: readonly NestFastifyApplication[]): RedisClient[] =>
  apps.flatMap((app) => [app.get(RedisClient), app.get<RedisClient>(CACHE_REDIS)]);

/** Waits until every one of the applications has Redis. */
export const redisIsUpFor = (...apps: NestFastifyApplication[]): Promise<boolean> =>
  eventually(() => clientsOf(apps).every(({ state }) => state === 'up'), { what: 'Redis' });

/**
 * Does it once more where one of them lost sight of Redis meanwhile: a busy machine may have no time for an answer within 50 ms.
 * Mocks are restored in between.
 */
export async function whileRedisIsUp(
  apps: readonly NestFastifyApplication[],
  work: () => Promise<void>,
): Promise<void> {
  const outages = () => clientsOf(apps).reduce((sum, client) => sum + client.outages, 0);
  for (let attempt = 1; ; attempt += 1) {
    await redisIsUpFor(...apps);
    const before = outages();
    try {
      return await work();
    } catch (error) {
      if (attempt === ATTEMPTS || outages() === before) throw error;
      jest.restoreAllMocks();
    }
  }
}
