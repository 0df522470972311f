import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Bag, type Bagged } from '../../../common/bag';
import { Config } from '../../../config/config';
import { Wakeups } from '../../../platform/database/wakeups';
import { KeyedSlots } from '../../../platform/loops/keyed-slots';
import { Periodic } from '../../../platform/loops/periodic';
import type { LaneJob } from './lane-job';
import { LaneStore } from './lane-store.service';
import { Sender } from './sender.service';

/** Attempts on their way at each WAHA server: one that hangs takes nothing from the others. */
const AT_ONCE = 100;
const CLAIM_AT_MOST = 50;
/** After a burst: so many lanes in one round, most of them without a message, are followed by a look for more of their kind. */
const MANY_LANES = 20;
const REST_AT_MOST = 500;
/** The safety net below the wake-ups. */
const POLL_MS = 1_000;
const HEARTBEAT_MS = 10_000;
const SWEEP_MS = 1_000;
const FORGOTTEN_MS = 15_000;

/** An attempt that is on its way. */
interface Sending extends Bagged {
  job: LaneJob;
  ended: Promise<void>;
}

/**
 * Drives lanes: claims those that are due, sends the head of each, and sleeps until the next is due or somebody wakes it. One
 * message of a lane at a time, so that chats keep their order; many lanes side by side.
 */
@Injectable()
export class LaneWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(LaneWorker.name);
  private readonly running = new Bag<Sending>();
  private readonly slots = new KeyedSlots(AT_ONCE);
  private readonly loops: Periodic[];
  private readonly claims: Periodic;
  private timer: NodeJS.Timeout | undefined;
  private stopListening: () => void = () => undefined;
  private stopping = false;

  constructor(
    private readonly config: Config,
    private readonly store: LaneStore,
    private readonly sender: Sender,
    private readonly wakeups: Wakeups,
  ) {
    this.claims = this.loop(POLL_MS, () => this.claim());
    this.loops = [
      this.claims,
      this.loop(HEARTBEAT_MS, () => this.store.extend(this.running.list().map(({ job }) => job))),
      this.loop(SWEEP_MS, () => this.store.sweep()),
      this.loop(FORGOTTEN_MS, () => this.store.wakeForgotten()),
    ];
  }

  async onApplicationBootstrap(): Promise<void> {
    if (!this.config.works) return;
    await this.wakeups.join();
    this.stopListening = this.wakeups.on('lanes', () => this.claims.nudge());
    for (const loop of this.loops) loop.start();
  }

  /** Claims nothing more and lets the attempts that are on their way end. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    this.stopListening();
    clearTimeout(this.timer);
    await this.claims.stop();
    await Promise.all(this.running.list().map(({ ended }) => ended));
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }

  private async claim(): Promise<void> {
    if (!this.wakeups.present) return;
    for (;;) {
      if (this.stopping) return;
      const { lanes, jobs } = await this.store.claim(CLAIM_AT_MOST, this.slots.params);
      for (const job of jobs) this.run(job);
      if (lanes < CLAIM_AT_MOST) break;
      if (lanes >= MANY_LANES && jobs.length * 2 < lanes) await this.store.rest(REST_AT_MOST);
    }
    // Of a server without a slot the next attempt that ends claims again.
    const dueMs = await this.store.nextDueMs(this.slots.params);
    clearTimeout(this.timer);
    if (dueMs !== null && dueMs < POLL_MS) this.timer = setTimeout(() => this.claims.nudge(), Math.max(0, dueMs));
  }

  private run(job: LaneJob): void {
    const sending: Sending = { job, ended: this.sender.send(job), slot: -1 };
    this.running.add(sending);
    this.slots.take(job.server_id);
    void sending.ended.finally(() => {
      this.running.remove(sending);
      this.slots.release(job.server_id);
      this.claims.nudge();
    });
  }

  private loop(everyMs: number, run: () => Promise<unknown>): Periodic {
    return new Periodic({
      everyMs,
      run,
      onError: (error) => this.logger.warn({ msg: 'lanes: round failed', err: error }),
    });
  }
}
