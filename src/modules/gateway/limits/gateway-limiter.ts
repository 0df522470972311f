import { LRUCache } from 'lru-cache';
import type { Actor } from '../../../common/actor';
import type { RedisClient } from '../../../platform/cache/redis';
import type { GatewayRoute } from '../gateway-route';
import type { GatewayLimits, LimitVerdict } from '../proxy/parts';
import { LimitBucket } from './limit-bucket';
import { LimitExchange } from './limit-exchange';

const WINDOW_MS = 60_000;
/** Keys, and routes, that are remembered: beyond it the longest unused is forgotten. */
const MAX_BUCKETS = 50_000;

export interface LimiterOptions {
  windowMs?: number;
  maxBuckets?: number;
  nowMs?: () => number;
}

/**
 * Limits per key and per route, shared by replicas. Redis hands out turns ahead, so that a request seldom asks it; what is held
 * and not spent is about a hundredth of what is free at most. Who finds nothing held waits for one exchange, which all who wait
 * share. While Redis is away nobody waits: each process goes by its share of the limit.
 */
export class GatewayLimiter implements GatewayLimits {
  private readonly exchange: LimitExchange;
  private readonly ofKeys: LRUCache<string, LimitBucket>;
  private readonly ofRoutes: LRUCache<string, LimitBucket>;
  private readonly windowMs: number;

  constructor(redis: RedisClient, options: LimiterOptions = {}) {
    const { windowMs = WINDOW_MS, maxBuckets: max = MAX_BUCKETS, nowMs = () => performance.now() } = options;
    this.windowMs = windowMs;
    this.exchange = new LimitExchange(redis, { windowMs, nowMs });
    const dispose = (bucket: LimitBucket): void => this.exchange.forget(bucket);
    this.ofKeys = new LRUCache({ max, dispose });
    this.ofRoutes = new LRUCache({ max, dispose });
  }

  /** For metrics: whether this process counts alone, how many requests it has so decided, and among how many it divides. */
  get standing(): { alone: boolean; decidedAlone: number; processes: number } {
    const { alone, decidedAlone, processes } = this.exchange;
    return { alone, decidedAlone, processes };
  }

  start(): Promise<void> {
    return this.exchange.start();
  }

  /** Gives back what is held. */
  stop(): Promise<void> {
    return this.exchange.stop();
  }

  take(actor: Actor, route: GatewayRoute): LimitVerdict | null | Promise<LimitVerdict> {
    const { requestsPerMinute } = actor;
    const { rateLimitPerMinute } = route;
    const ofKey = requestsPerMinute === null ? null : this.bucket(this.ofKeys, actor.id, requestsPerMinute);
    const ofRoute = rateLimitPerMinute === null ? null : this.bucket(this.ofRoutes, route.id, rateLimitPerMinute);
    if (ofKey === null) return ofRoute && this.takeOne(ofRoute);
    return ofRoute === null ? this.takeOne(ofKey) : this.takeBoth(ofKey, ofRoute);
  }

  private takeOne(bucket: LimitBucket): LimitVerdict | Promise<LimitVerdict> {
    const allowed = bucket.spend() || this.exchange.turnFor(bucket);
    if (allowed === true) return bucket.passed();
    if (allowed === false) return this.refused(bucket);
    return allowed.then((late) => (late ? bucket.passed() : this.refused(bucket)));
  }

  private takeBoth(first: LimitBucket, second: LimitBucket): LimitVerdict | Promise<LimitVerdict> {
    const verdict = this.takeOne(first);
    if (!(verdict instanceof Promise)) return this.takeSecond(verdict, first, second);
    return verdict.then((late) => this.takeSecond(late, first, second));
  }

  private takeSecond(of: LimitVerdict, first: LimitBucket, second: LimitBucket): LimitVerdict | Promise<LimitVerdict> {
    if (!of.allowed) return of;
    const verdict = this.takeOne(second);
    if (!(verdict instanceof Promise)) return tightest(of, verdict, first);
    return verdict.then((late) => tightest(of, late, first));
  }

  private bucket(buckets: LRUCache<string, LimitBucket>, id: string, limit: number): LimitBucket {
    const known = buckets.get(id);
    if (known) {
      if (known.limit !== limit) known.change(limit);
      return known;
    }
    const bucket = new LimitBucket(`${buckets === this.ofKeys ? 'key' : 'route'}:${id}`, limit, this.windowMs);
    buckets.set(id, bucket);
    return bucket;
  }

  private refused(bucket: LimitBucket): LimitVerdict {
    const { nowMs, alone, processes } = this.exchange;
    return bucket.refused(nowMs, alone ? processes : 1);
  }
}

/** Of two limits: the one with less left. Where the second refuses, the first gets its turn back. */
function tightest(one: LimitVerdict, other: LimitVerdict, first: LimitBucket): LimitVerdict {
  if (!other.allowed) first.undo();
  return other.allowed && one.remaining <= other.remaining ? one : other;
}
