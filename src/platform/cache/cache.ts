import { createCache, type Cache as CacheManager } from 'cache-manager';
import { Keyv } from 'keyv';
import { LRUCache } from 'lru-cache';
import type { RedisClient } from './redis';
import { sharedStore } from './shared-store';

/** Values kept in this process while Redis is away or off, and keys whose copy in Redis may be out of date. */
const MEMORY_MAX = 10_000;
const MEMORY_MAX_CHARACTERS = 16 * 1024 * 1024;
const PREFIX = 'switchboard:cache:';

/** How the cache has done since the start. */
export interface CacheStatistics {
  hits: number;
  misses: number;
  /** Values in the memory of this process. */
  memoryEntries: number;
}

/**
 * Values that can be computed again, shared by replicas through Redis and kept in this process while Redis is away. What goes
 * in comes out as JSON does: dates as text, no functions, no `undefined`. No call throws because of Redis or waits for it
 * longer than 50 ms. A value may be as old as its `ttlMs`: delete the key where that is not good enough.
 */
export class Cache {
  private readonly shared: CacheManager;
  private readonly memory = new LRUCache<string, { text: string }>({
    max: MEMORY_MAX,
    maxSize: MEMORY_MAX_CHARACTERS,
    sizeCalculation: ({ text }) => text.length,
  });
  /** Changed here while Redis was away: what Redis has under these keys is not to be believed. */
  private readonly changed = new LRUCache<string, true>({ max: MEMORY_MAX });
  private readonly loading = new Map<string, Promise<unknown>>();
  private settling = false;
  private hits = 0;
  private misses = 0;

  constructor(private readonly redis: RedisClient) {
    const keyv = new Keyv({
      store: sharedStore(redis),
      useKeyPrefix: false,
      throwOnErrors: true,
      emitErrors: false,
      serialize: JSON.stringify,
      deserialize: JSON.parse,
    });
    keyv.on('error', () => undefined);
    this.shared = createCache({ stores: [keyv] });
  }

  /** The value under the key; undefined when there is none, or no longer. */
  async get<T>(key: string): Promise<T | undefined> {
    const boxed = await this.find<T>(key);
    if (boxed) this.hits += 1;
    else this.misses += 1;
    return boxed?.[0];
  }

  /** Keeps a value (`null` counts as one) for so long. */
  async set(key: string, value: unknown, ttlMs: number): Promise<void> {
    // Boxed, so that a cached null differs from nothing cached.
    if (value === undefined || (await this.inRedis(key, () => this.shared.set(PREFIX + key, [value], ttlMs)))) return;
    this.memory.set(key, { text: JSON.stringify([value]) }, { ttl: ttlMs });
  }

  /** Forgets the key, also when a loader of `wrap` is at work on it: what that one finds is not kept. */
  async delete(key: string): Promise<void> {
    this.loading.delete(key);
    this.memory.delete(key);
    await this.inRedis(key, () => this.shared.del(PREFIX + key));
  }

  /**
   * The value under the key, or else what the loader gives, kept for `ttlMs`. Callers that arrive while the loader works
   * share its one run in this process, and its error, which is not kept. The result is shared: do not change it.
   */
  wrap<T>(key: string, ttlMs: number, loader: () => Promise<T>): Promise<T> {
    const running = this.loading.get(key) as Promise<T> | undefined;
    if (running) return running;
    const run: Promise<T> = this.getOrLoad(key, loader, (value) => this.keepIfWanted(key, run, value, ttlMs)).finally(
      () => {
        if (this.loading.get(key) === run) this.loading.delete(key);
      },
    );
    this.loading.set(key, run);
    return run;
  }

  /** For health and metrics. */
  statistics(): CacheStatistics {
    return { hits: this.hits, misses: this.misses, memoryEntries: this.memory.size };
  }

  private async getOrLoad<T>(key: string, loader: () => Promise<T>, keep: (value: T) => Promise<void>): Promise<T> {
    const known = await this.get<T>(key);
    if (known !== undefined) return known;
    const value = await loader();
    await keep(value);
    return value;
  }

  private async keepIfWanted<T>(key: string, run: Promise<T>, value: T, ttlMs: number): Promise<void> {
    if (this.loading.get(key) === run) await this.set(key, value, ttlMs);
  }

  private async find<T>(key: string): Promise<[T] | undefined> {
    if (this.redis.state === 'up') {
      if (this.changed.size > 0) this.settleChanged();
      if (!this.changed.has(key)) {
        const boxed = await this.shared.get<[T]>(PREFIX + key);
        if (this.redis.state === 'up') return Array.isArray(boxed) ? boxed : undefined;
      }
    }
    const text = this.memory.get(key)?.text;
    return text === undefined ? undefined : (JSON.parse(text) as [T]);
  }

  /** Whether Redis has taken the change; where it has not, its copy is not believed until it is gone. */
  private async inRedis(key: string, change: () => Promise<unknown>): Promise<boolean> {
    if (this.redis.state === 'off') return false;
    try {
      if (this.redis.state !== 'up') throw new Error('away');
      await change();
      this.forget(key);
      return true;
    } catch {
      this.changed.set(key, true);
      return false;
    }
  }

  /** Removes from Redis what was changed here while it was away; from then on its copies count again. */
  private settleChanged(): void {
    if (this.settling) return;
    this.settling = true;
    const keys = [...this.changed.keys()];
    void this.redis
      .use((redis) => redis.del(...keys.map((key) => PREFIX + key)))
      .then((removed) => {
        this.settling = false;
        if (removed !== undefined) for (const key of keys) this.forget(key);
      });
  }

  private forget(key: string): void {
    this.changed.delete(key);
    this.memory.delete(key);
  }
}
