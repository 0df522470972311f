import { Logger } from '@nestjs/common';
import { Redis, ReplyError } from 'ioredis';
import { RedisBreaker } from './redis-breaker';

/** The longest that anybody waits for Redis. */
export const REDIS_WAIT_MS = 50;
const CONNECT_TIMEOUT_MS = 500;
const SILENT_SOCKET_MS = 1_000;
const START_WAIT_MS = 1_000;

/** `off`: there is no REDIS_URL. `away`: it does not answer, and nobody waits for it. */
export type RedisState = 'off' | 'up' | 'away';

export interface RedisSettings {
  /** Unset: the client answers `undefined` to everything, at once. */
  url: string | undefined;
  /** Shows in Redis' CLIENT LIST and in the logs. */
  name: string;
  /** Database number, where it differs from the URL's. */
  db?: number;
  /** The longest wait for it; REDIS_WAIT_MS unless told otherwise. */
  waitMs?: number;
  /** Shared by the connections of one process to one Redis. */
  breaker?: RedisBreaker;
  /** Scripts by the name of the command that they become; without a number of keys each call says it first. */
  scripts?: Record<string, { lua: string; numberOfKeys?: number }>;
}

const LATE = Symbol('late');

/**
 * One connection to Redis, which is only ever an accelerator: it may be dead, frozen or missing at any moment. No call
 * throws, none waits longer than REDIS_WAIT_MS (or what its settings say), and while Redis is away none waits at all.
 */
export class RedisClient {
  /** Calls that failed, or that came back too late, since the start. */
  failures = 0;
  private readonly redis: Redis | undefined;
  private readonly breaker: RedisBreaker;
  private readonly logger = new Logger('Redis');
  private closing = false;

  constructor(private readonly settings: RedisSettings) {
    this.breaker = settings.breaker ?? new RedisBreaker();
    if (settings.url === undefined) return;
    this.redis = new Redis(settings.url, optionsOf(settings));
    // Without a listener ioredis prints each failed attempt; what matters is said once, in onChange of the breaker.
    this.redis.on('error', (error: Error) => this.logger.debug(`${settings.name}: ${error.message}`));
    this.redis.on('close', () => this.lost());
    this.redis.on('ready', () => this.breaker.hurry());
  }

  /** What a caller can expect of the next call. */
  get state(): RedisState {
    if (!this.redis) return 'off';
    return this.redis.status === 'ready' && !this.breaker.open ? 'up' : 'away';
  }

  /** How often Redis was lost sight of since the start: meanwhile others may have changed what is in it. */
  get outages(): number {
    return this.breaker.opened;
  }

  /**
   * Runs commands against Redis. Never throws.
   * @returns undefined when Redis is away or off, did not answer within REDIS_WAIT_MS or refused the command.
   */
  async use<T>(work: (redis: Redis) => Promise<T>): Promise<T | undefined> {
    const redis = this.redis;
    if (!redis || this.state !== 'up') return undefined;
    try {
      const outcome = await inTime(work(redis), waitOf(this.settings));
      if (outcome !== LATE) return outcome;
      this.failed(redis);
    } catch (error) {
      if (error instanceof ReplyError) this.refused(error as Error);
      else this.failed(redis);
    }
    return undefined;
  }

  /** Milliseconds that Redis takes to answer; undefined when it is away or off. */
  async latencyMs(): Promise<number | undefined> {
    const begun = performance.now();
    const answer = await this.use((redis) => redis.ping());
    return answer === undefined ? undefined : performance.now() - begun;
  }

  /** Resolves when the first connection stands or has failed, within a second: from then on `state` means something. */
  async settled(): Promise<void> {
    const redis = this.redis;
    if (!redis || redis.status === 'ready') return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(done, START_WAIT_MS);
      redis.once('ready', done);
      redis.once('close', done);
    });
  }

  /** Ends the connection without waiting for anybody. */
  close(): void {
    this.closing = true;
    this.breaker.stop();
    this.redis?.disconnect();
  }

  private failed(redis: Redis): void {
    this.failures += 1;
    if (!this.closing) this.breaker.trip(() => redis.ping());
  }

  private refused(error: Error): void {
    this.failures += 1;
    this.logger.warn(`Redis refused a command of ${this.settings.name}: ${error.message}`);
  }

  private lost(): void {
    const redis = this.redis;
    if (redis && !this.closing) this.breaker.trip(() => redis.ping());
  }
}

const waitOf = ({ waitMs = REDIS_WAIT_MS }: RedisSettings): number => waitMs;

function optionsOf(settings: RedisSettings) {
  const { name, db, scripts } = settings;
  return {
    connectionName: `switchboard-${name}`,
    ...(db === undefined ? {} : { db }),
    ...(scripts ? { scripts } : {}),
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    commandTimeout: waitOf(settings),
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SILENT_SOCKET_MS,
    keepAlive: 5_000,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempt: number) => Math.min(attempt * 50, 500) + Math.random() * 100,
  };
}

async function inTime<T>(work: Promise<T>, waitMs: number): Promise<T | typeof LATE> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(resolve, waitMs, LATE);
  });
  work.catch(() => undefined); // it may fail after nobody waits for it any more
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
