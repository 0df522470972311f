import type { ThrottlerStorage } from '@nestjs/throttler';
import type { RateLimiter } from '../limits/rate-limiter';

type Counted = Awaited<ReturnType<ThrottlerStorage['increment']>>;

const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1000));

/** Lets @nestjs/throttler count in our limiter: shared by replicas through Redis, O(1) and bounded where its own store is neither. */
export class LimiterStorage implements ThrottlerStorage {
  constructor(private readonly limiter: RateLimiter) {}

  /** Counts one hit; times come back in seconds, as the throttler wants them. */
  async increment(key: string, ttlMs: number, limit: number): Promise<Counted> {
    const { allowed, remaining, resetMs, retryAfterMs } = await this.limiter.hit(key, limit, ttlMs);
    return {
      totalHits: allowed ? limit - remaining : limit + 1,
      timeToExpire: seconds(resetMs),
      isBlocked: !allowed,
      timeToBlockExpire: allowed ? 0 : seconds(retryAfterMs),
    };
  }
}
