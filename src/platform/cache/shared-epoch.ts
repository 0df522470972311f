import { LRUCache } from 'lru-cache';
import { newId } from '../../common/ids';
import type { RedisClient } from './redis';

/** What is kept in Redis carries the epoch under this name; what is of another one counts for nothing. */
export const EPOCH = 'switchboard:fresh-epoch';
const SETTLE_EVERY_MS = 100;
const MAX_UNENDED = 1_000;

/** Tells Redis that a writer has ended; false when it could not be told. */
type TellEnd = () => Promise<boolean>;

/**
 * Whether what replicas keep in Redis can be believed by this process (docs/decisions/0030). One that could not tell of a
 * change, or lost sight of Redis for a moment, or has just started, begins a new epoch first: whatever was kept before is void
 * for everybody. It does so by itself, every 100 ms until it succeeds. No call throws because of Redis or waits for it longer than 50 ms.
 */
export class SharedEpoch {
  /** Changes that Redis may not have been told of, since the start; the start counts as one: the former process may have died. */
  private doubts = 1;
  /** With how many doubts and outages the epoch was last made new. */
  private settledAt = { doubts: 0, outages: 0 };
  /** Writers of ours whose end Redis was not told: nothing would be kept of what they changed for two minutes. */
  private readonly unended = new LRUCache<string, TellEnd>({ max: MAX_UNENDED });
  private settling: Promise<boolean> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(private readonly redis: RedisClient) {}

  /** Begins a new epoch where Redis is there, so that the first readers need not. */
  async start(): Promise<void> {
    if (this.redis.state !== 'off') await this.settle();
  }

  /** Whether what Redis has can be believed: this process has told it of all its changes, and has not lost sight of it since. */
  isTrusted(): boolean | Promise<boolean> {
    if (this.redis.state === 'off') return false;
    if (this.isSettled()) return this.redis.state === 'up';
    return this.settle();
  }

  /** Redis may not know of a change, or knows no epoch: all that it has is given up as soon as it can be. */
  doubt(): void {
    if (this.redis.state === 'off') return;
    this.doubts += 1;
    this.settleSoon();
  }

  /** Tells of a writer's end, now or, where that fails, once Redis is back. */
  async end(writer: string, tell: TellEnd): Promise<void> {
    if (!(await tell())) this.unended.set(writer, tell);
  }

  /** Ends what goes on in the background. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private isSettled(): boolean {
    const { doubts, outages } = this.settledAt;
    return doubts === this.doubts && outages === this.redis.outages;
  }

  /** Begins a new epoch, which makes an end of all that is kept. */
  private settle(): Promise<boolean> {
    this.settling ??= this.renew().finally(() => (this.settling = undefined));
    return this.settling;
  }

  private async renew(): Promise<boolean> {
    const seen = { doubts: this.doubts, outages: this.redis.outages };
    const done = await this.redis.use((redis) => redis.set(EPOCH, newId()));
    if (done === undefined) this.settleSoon();
    else {
      this.settledAt = seen;
      await this.endWriters();
    }
    return this.isSettled();
  }

  private async endWriters(): Promise<void> {
    for (const [writer, tell] of [...this.unended.entries()]) {
      if (!(await tell())) return;
      this.unended.delete(writer);
    }
  }

  /** Others believe what they find in Redis, so that it is not left to the next reader here. */
  private settleSoon(): void {
    if (this.closed) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      if (!this.isSettled()) void this.settle();
    }, SETTLE_EVERY_MS).unref();
  }
}
