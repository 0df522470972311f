import { LRUCache } from 'lru-cache';
import type { RedisClient } from '../cache/redis';
import type { LimiterRedis } from './rate-limit.script';
import { inWindow, type Verdict, verdictOf, type WindowCount } from './sliding-window';

/** Keys counted in this process while Redis is away: beyond it the longest unused is forgotten. */
const MEMORY_MAX = 50_000;
const PREFIX = 'switchboard:limit:';

/**
 * Counts hits and says when it is too many. Shared by replicas through Redis; each counts for itself while Redis is away. The
 * cost of a hit does not grow with the number of hits.
 */
export class RateLimiter {
  private memory: LRUCache<string, WindowCount> | undefined;

  /** @param now the clock of the counting in memory. */
  constructor(
    private readonly redis: RedisClient,
    private readonly now: () => number = Date.now,
  ) {}

  /** Counts one hit on the key against `limit` hits in any `windowMs`; a hit that is refused does not count. */
  async hit(key: string, limit: number, windowMs: number): Promise<Verdict> {
    const reply = await this.redis.use((redis) => (redis as LimiterRedis).countHit(PREFIX + key, limit, windowMs));
    if (!reply) return this.hitInMemory(key, limit, windowMs);
    const [index, current, previous, allowed, nowMs] = reply;
    return verdictOf({ index, current, previous }, allowed === 1, { nowMs, limit, windowMs });
  }

  private hitInMemory(key: string, limit: number, windowMs: number): Verdict {
    this.memory ??= new LRUCache<string, WindowCount>({ max: MEMORY_MAX });
    const nowMs = this.now();
    const id = `${windowMs}:${key}`;
    const count = inWindow(this.memory.get(id), Math.floor(nowMs / windowMs));
    const used = (count.previous * (windowMs - (nowMs - count.index * windowMs))) / windowMs + count.current;
    const allowed = used + 1 <= limit;
    if (allowed) this.memory.set(id, { ...count, current: count.current + 1 });
    const counted = this.memory.get(id) ?? count;
    return verdictOf(inWindow(counted, count.index), allowed, { nowMs, limit, windowMs });
  }
}
