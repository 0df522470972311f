import { KeyvAdapter, type CacheManagerStore } from 'cache-manager';
import { redisInsStore } from 'cache-manager-ioredis-yet';
import type { Redis } from 'ioredis';
import type { RedisClient } from './redis';

/** Thrown inside when Redis did not take a command, so that the cache keeps the value in memory instead. */
export class SharedStoreAway extends Error {}

/**
 * cache-manager-ioredis-yet over a connection that never waits. Its parser (telejson) turns texts like `_function_…` inside
 * what it reads into live functions, so it is only ever shown one kind of text: a JSON string that begins with `{`, which is
 * what Keyv has serialised. Everything else found under a key counts as absent.
 */
export function sharedStore(redis: RedisClient): KeyvAdapter {
  const connection = {
    get: async (key: string) => onlyKeyvText(await redis.use((r) => r.get(key))),
    set: async (key: string, value: string, unit?: 'PX', ttlMs?: number) =>
      taken(await redis.use((r) => (unit && ttlMs ? r.set(key, value, unit, ttlMs) : r.set(key, value)))),
    del: async (key: string) => taken(await redis.use((r) => r.del(key))),
  };
  const store = redisInsStore(connection as unknown as Redis);
  return new KeyvAdapter({ ...store, name: 'redis' } as unknown as CacheManagerStore);
}

function onlyKeyvText(raw: string | null | undefined): string | null {
  if (!raw?.startsWith('"{')) return null;
  try {
    return typeof JSON.parse(raw) === 'string' ? raw : null;
  } catch {
    return null;
  }
}

function taken<T>(answer: T | undefined): T {
  if (answer === undefined) throw new SharedStoreAway();
  return answer;
}
