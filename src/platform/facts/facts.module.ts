import { Global, Module, type OnModuleInit } from '@nestjs/common';
import { CACHE_REDIS } from '../cache/cache.module';
import type { RedisClient } from '../cache/redis';
import { SharedEpoch } from '../cache/shared-epoch';
import { SecretBox } from '../crypto/secret-box';
import { Metrics } from '../metrics/metrics';
import { AccessChanges } from './access-changes';
import { SharedFacts } from './shared-facts';

const sharedFacts = {
  provide: SharedFacts,
  inject: [CACHE_REDIS, SharedEpoch, SecretBox],
  useFactory: (redis: RedisClient, epoch: SharedEpoch, box: SecretBox) => new SharedFacts(redis, epoch, box),
};

/** What replicas share of keys, tenants and routes. Works without REDIS_URL: then each asks the database. */
@Global()
@Module({ providers: [sharedFacts, AccessChanges], exports: [SharedFacts, AccessChanges] })
export class FactsModule implements OnModuleInit {
  constructor(
    private readonly facts: SharedFacts,
    private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    this.metrics.observeTotal({
      name: 'switchboard_shared_facts_total',
      help: 'Keys, tenants and versions of routes that this process did not know: hit where Redis had them, miss where the database was asked',
      labelNames: ['fact', 'outcome'],
      read: () =>
        Object.entries(this.facts.counts).flatMap(([fact, { hits, misses }]) => [
          { labels: { fact, outcome: 'hit' }, value: hits },
          { labels: { fact, outcome: 'miss' }, value: misses },
        ]),
    });
  }
}
