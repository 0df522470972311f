import { Global, Inject, Logger, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Config } from '../../config/config';
import { SHARED_FACTS_SCRIPTS } from '../facts/shared-facts.script';
import { RATE_LIMIT_SCRIPTS } from '../limits/rate-limit.script';
import { Cache } from './cache';
import { FreshCache } from './fresh-cache';
import { FRESH_CACHE_SCRIPTS } from './fresh-cache.script';
import { RedisClient } from './redis';
import { RedisBreaker } from './redis-breaker';
import { SharedEpoch } from './shared-epoch';

/** The connection of the cache: its store may empty a whole database, so it has one of its own. */
export const CACHE_REDIS = Symbol('Redis of the cache');

/** Database number of the cache: the next one after REDIS_URL's. */
export const cacheDatabase = (url: string): number => Number(new URL(url).pathname.slice(1) || 0) + 1;

const breaker = {
  provide: RedisBreaker,
  useFactory: () => {
    const logger = new Logger('Redis');
    return new RedisBreaker((open) =>
      open ? logger.warn('Redis does not answer: this process goes on from memory') : logger.warn('Redis is back'),
    );
  },
};

const counters = {
  provide: RedisClient,
  inject: [Config, RedisBreaker],
  useFactory: ({ REDIS_URL: url }: Config, shared: RedisBreaker) =>
    new RedisClient({ url, name: 'counters', breaker: shared, scripts: RATE_LIMIT_SCRIPTS }),
};

const cacheRedis = {
  provide: CACHE_REDIS,
  inject: [Config, RedisBreaker],
  useFactory: ({ REDIS_URL: url }: Config, shared: RedisBreaker) =>
    new RedisClient({
      ...{ url, name: 'cache', breaker: shared, scripts: { ...FRESH_CACHE_SCRIPTS, ...SHARED_FACTS_SCRIPTS } },
      ...(url ? { db: cacheDatabase(url) } : {}),
    }),
};

const cache = { provide: Cache, inject: [CACHE_REDIS], useFactory: (redis: RedisClient) => new Cache(redis) };

const epoch = {
  provide: SharedEpoch,
  inject: [CACHE_REDIS],
  useFactory: (redis: RedisClient) => new SharedEpoch(redis),
};

const freshCache = {
  provide: FreshCache,
  inject: [CACHE_REDIS, SharedEpoch],
  useFactory: (redis: RedisClient, shared: SharedEpoch) => new FreshCache(redis, shared),
};

/** Redis and the cache on it. Both work, in the memory of this process, without REDIS_URL. */
@Global()
@Module({
  providers: [breaker, counters, cacheRedis, cache, epoch, freshCache],
  exports: [RedisClient, CACHE_REDIS, Cache, SharedEpoch, FreshCache],
})
export class CacheModule implements OnModuleInit, OnApplicationShutdown {
  constructor(
    private readonly counters: RedisClient,
    @Inject(CACHE_REDIS) private readonly cacheRedis: RedisClient,
    private readonly epoch: SharedEpoch,
  ) {}

  /** Waits a moment for the first answer, so that the first requests find Redis. */
  async onModuleInit(): Promise<void> {
    await Promise.all([this.counters.settled(), this.cacheRedis.settled()]);
    await this.epoch.start();
  }

  onApplicationShutdown(): void {
    this.epoch.close();
    this.counters.close();
    this.cacheRedis.close();
  }
}
