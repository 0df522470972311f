import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Pool } from 'pg';
import { Cache } from '../../platform/cache/cache';
import { RedisClient } from '../../platform/cache/redis';
import { DatabaseConnections } from '../../platform/database/database-connections';
import { isMigrated } from '../../platform/database/migrate';
import { HealthRegistry } from '../../platform/health/health-registry';

/** The name under which PostgreSQL's check is registered. */
export const DATABASE_CHECK = 'database';

/** The checks of what every feature stands on: PostgreSQL, Redis, the cache. */
@Injectable()
export class PlatformHealth implements OnModuleInit {
  private migrated = false;

  constructor(
    private readonly registry: HealthRegistry,
    private readonly connections: DatabaseConnections,
    private readonly redis: RedisClient,
    private readonly cache: Cache,
  ) {}

  onModuleInit(): void {
    this.registry.register({ name: DATABASE_CHECK, kind: 'critical', check: () => this.database() });
    this.registry.register({ name: 'redis', kind: 'degrading', check: () => this.redisState() });
    this.registry.register({ name: 'cache', kind: 'info', check: () => Promise.resolve(this.cacheUse()) });
  }

  private async database(): Promise<Record<string, unknown>> {
    const { app, batch, system } = this.connections;
    const begun = performance.now();
    await system.query('select 1');
    const latencyMs = rounded(performance.now() - begun);
    // Once migrated stays migrated: a process does not outlive a migration that is taken back.
    this.migrated ||= await isMigrated(async (text) => (await system.query<{ newest: string | null }>(text)).rows);
    return {
      latency_ms: latencyMs,
      migrated: this.migrated,
      pools: { app: useOf(app), batch: useOf(batch), system: useOf(system) },
    };
  }

  private async redisState(): Promise<Record<string, unknown>> {
    if (this.redis.state === 'off') return { in_use: false };
    const latencyMs = await this.redis.latencyMs();
    if (latencyMs === undefined) throw new Error('Redis is away');
    return { in_use: true, latency_ms: rounded(latencyMs) };
  }

  private cacheUse(): Record<string, unknown> {
    const { hits, misses, memoryEntries } = this.cache.statistics();
    const lookUps = hits + misses;
    return { hits, misses, hit_rate: lookUps === 0 ? null : rounded(hits / lookUps), memory_entries: memoryEntries };
  }
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

const useOf = ({ totalCount, idleCount, waitingCount, options }: Pool) => ({
  max: options.max,
  open: totalCount,
  idle: idleCount,
  waiting: waitingCount,
});
