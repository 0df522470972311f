import { Global, Module, type OnModuleInit } from '@nestjs/common';
import { Cache } from '../cache/cache';
import { RedisClient } from '../cache/redis';
import { Metrics } from './metrics';

/** The registry, and the metrics of the platform's own parts. */
@Global()
@Module({ providers: [{ provide: Metrics, useFactory: () => new Metrics() }], exports: [Metrics] })
export class MetricsModule implements OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    private readonly redis: RedisClient,
    private readonly cache: Cache,
  ) {}

  onModuleInit(): void {
    this.metrics.observe({
      name: 'switchboard_redis_up',
      help: '1 when Redis answers, 0 when it is away; absent without Redis',
      read: () => (this.redis.state === 'off' ? [] : [{ value: this.redis.state === 'up' ? 1 : 0 }]),
    });
    this.metrics.observeTotal({
      name: 'switchboard_redis_failures_total',
      help: 'Calls to Redis that failed or were late',
      read: () => [{ value: this.redis.failures }],
    });
    this.metrics.observeTotal({
      name: 'switchboard_cache_requests_total',
      help: 'Look-ups in the cache by their outcome',
      labelNames: ['outcome'],
      read: () => {
        const { hits, misses } = this.cache.statistics();
        return [
          { labels: { outcome: 'hit' }, value: hits },
          { labels: { outcome: 'miss' }, value: misses },
        ];
      },
    });
  }
}
