import { newId } from '../../../common/ids';
import type { RedisClient } from '../../../platform/cache/redis';
import type { LimitBucket, Wish } from './limit-bucket';
import type { HandOutRedis } from './limit.script';

const PREFIX = 'switchboard:gateway:limit:';
const PROCESSES = 'switchboard:gateway:processes';
/** Those of them that have counted requests lately. */
const COUNTING = 'switchboard:gateway:processes:counting';
/** Lately: as long as what was counted is of a minute that counts. */
const COUNTING_MS = 60_000;
const TICK_MS = 100;
const BEAT_MS = 2_500;
/** Limits of one call; a script holds up everybody else. */
const BATCH = 200;
/** Numbers that the answer has before those of the limits, and of each limit. */
const HEAD = 3;
const EACH = 3;

export interface ExchangeOptions {
  windowMs: number;
  /** A clock that is never set back. */
  nowMs: () => number;
}

/** A limit with what it asks for, and those who wait for it. */
interface Errand {
  bucket: LimitBucket;
  wish: Wish;
  waiting: LimitBucket['waiting'];
}

/**
 * Fetches turns from Redis for all limits of this process together: in the background every 100 ms for those that run low, at
 * once where somebody waits, one call at a time.
 */
export class LimitExchange {
  /** Requests decided without Redis since the start. */
  decidedAlone = 0;
  /**
   * Processes among which a limit is divided while Redis is away, as last heard: where this one has counted requests lately all that have,
   * else all there are. So those that are asked share the whole limit, and of those that are not none takes more than its part of it.
   */
  processes = 1;
  private readonly processId = newId();
  private readonly active = new Set<LimitBucket>();
  /** What each asks for; null where that is found out at the last moment. */
  private readonly due = new Map<LimitBucket, Wish | null>();
  /** From our clock to Redis'. */
  private offsetMs: number;
  /** When this process last counted a request, by our clock. */
  private countedAtMs = -Infinity;
  private running: Promise<void> | undefined;
  private soon = false;
  private ticks: NodeJS.Timeout | undefined;
  private beats: NodeJS.Timeout | undefined;

  constructor(
    private readonly redis: RedisClient,
    private readonly options: ExchangeOptions,
  ) {
    this.offsetMs = Date.now() - options.nowMs();
  }

  /** Redis' time, as far as it is known. */
  get nowMs(): number {
    return this.options.nowMs() + this.offsetMs;
  }

  /** Whether this process counts alone, because Redis is away or there is none. */
  get alone(): boolean {
    return this.redis.state !== 'up';
  }

  /** A request found no turn held. @returns at once where nothing can be asked, or need not be */
  turnFor(bucket: LimitBucket): boolean | Promise<boolean> {
    const { state } = this.redis;
    this.countedAtMs = this.options.nowMs();
    if (state !== 'off') this.watch(bucket);
    if (state !== 'up') return this.decideAlone(bucket);
    if (this.nowMs < bucket.closedUntilMs) return false;
    return new Promise((resolve) => {
      bucket.waiting.push(resolve);
      if (!this.due.has(bucket)) this.due.set(bucket, null);
      this.runSoon();
    });
  }

  /** Nobody will ask for it any more. */
  forget(bucket: LimitBucket): void {
    this.active.delete(bucket);
  }

  /** Makes this process known to the others, and goes on doing so. */
  async start(): Promise<void> {
    this.beats ??= setInterval(() => void this.exchange([]), BEAT_MS).unref();
    await this.exchange([]);
  }

  /** Gives back what is held; this is no process any more. */
  async stop(): Promise<void> {
    clearInterval(this.beats);
    this.rest();
    await this.running;
    const held = [...this.active].filter(({ turns, untold }) => turns + untold > 0);
    for (const bucket of held) this.due.set(bucket, bucket.wish(bucket.turns));
    await this.run();
    this.rest();
    this.active.clear();
    await this.redis.use((redis) => (redis as HandOutRedis).leaveLimits(PROCESSES, COUNTING, this.processId));
  }

  private decideAlone(bucket: LimitBucket): boolean {
    this.decidedAlone += 1;
    return bucket.spendAlone(this.nowMs, this.processes);
  }

  private watch(bucket: LimitBucket): void {
    this.active.add(bucket);
    this.ticks ??= setInterval(() => this.tick(), TICK_MS).unref();
  }

  private rest(): void {
    clearInterval(this.ticks);
    this.ticks = undefined;
  }

  private tick(): void {
    if (this.due.size > 0) void this.run();
    if (this.active.size === 0) return this.rest();
    if (this.alone) return;
    const { nowMs } = this;
    for (const bucket of this.active) {
      if (bucket.isUsed) this.countedAtMs = this.options.nowMs();
      if (this.due.has(bucket)) continue;
      if (bucket.isQuiet) this.active.delete(bucket);
      const wish = bucket.tick(nowMs);
      if (wish) this.due.set(bucket, wish);
    }
    if (this.due.size > 0) void this.run();
  }

  /** After everything that has come in together has been looked at: one exchange serves all. */
  private runSoon(): void {
    if (this.soon || this.running) return;
    this.soon = true;
    setImmediate(() => {
      this.soon = false;
      void this.run();
    });
  }

  private run(): Promise<void> {
    this.running ??= this.runAll().finally(() => {
      this.running = undefined;
      // Whoever came after the last look found it running still.
      if (this.due.size > 0) this.runSoon();
    });
    return this.running;
  }

  private async runAll(): Promise<void> {
    while (this.due.size > 0) {
      const errands: Errand[] = [];
      for (const [bucket, wish] of this.due) {
        if (errands.length === BATCH) break;
        this.due.delete(bucket);
        errands.push({ bucket, wish: wish ?? bucket.wish(), waiting: bucket.waiting });
        bucket.waiting = [];
      }
      await this.exchange(errands);
    }
  }

  private async exchange(errands: readonly Errand[]): Promise<void> {
    const keys = [PROCESSES, COUNTING, ...errands.map(({ bucket }) => PREFIX + bucket.name)];
    const wishes = errands.flatMap(({ bucket: { limit }, wish: { spent, back, backIndex, ahead }, waiting }) => [
      limit,
      spent,
      back,
      backIndex,
      waiting.length,
      ahead,
    ]);
    const wasAway = this.alone;
    const counts = Number(this.options.nowMs() - this.countedAtMs < COUNTING_MS);
    const answer = await this.redis.use((redis) =>
      (redis as HandOutRedis).handOut(keys.length, ...keys, this.processId, this.options.windowMs, counts, ...wishes),
    );
    if (!answer) return this.goAlone(errands, wasAway);
    const [redisMs = 0, processes = 1, index = 0] = answer;
    this.offsetMs = redisMs - this.options.nowMs();
    this.processes = Math.max(1, processes);
    errands.forEach(({ bucket, waiting }, i) => {
      const [current = 0, previous = 0, granted = 0] = answer.slice(HEAD + EACH * i, HEAD + EACH * (i + 1));
      bucket.accept({ nowMs: redisMs, index, current, previous, granted }, waiting);
      if (granted > 0) this.watch(bucket);
    });
  }

  /** Redis has just gone: those who waited are decided on here. @param wasAway it cannot have heard of it */
  private goAlone(errands: readonly Errand[], wasAway: boolean): void {
    for (const { bucket, wish, waiting } of errands) {
      bucket.untell(wish, wasAway);
      for (const resolve of waiting) resolve(this.decideAlone(bucket));
    }
  }
}
