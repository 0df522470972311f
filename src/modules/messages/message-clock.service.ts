import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../../config/config';
import { SystemDatabase } from '../../platform/database/system-database';
import { Wakeups } from '../../platform/database/wakeups';
import { Periodic } from '../../platform/loops/periodic';
import { MessageMetrics } from './message.metrics';

const EVERY_MS = 1_000;
const AT_ONCE = 500;
/** Of deleted sessions: nobody waits for their lanes. */
const CANCELLED_AT_ONCE = 2_000;

type Clockwork = 'expireOverdue' | 'queueScheduled' | 'stallUnacked' | 'cancelOfDeleted' | 'deletedCleared';

/**
 * What time does to messages: queues those whose time has come, ends those that are overdue, calls `stalled` what WhatsApp never
 * confirmed, and cancels what waits in deleted sessions. Any number of workers may run it: each message is moved once.
 */
@Injectable()
export class MessageClock implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(MessageClock.name);
  private readonly loop: Periodic;

  constructor(
    private readonly config: Config,
    private readonly system: SystemDatabase,
    private readonly wakeups: Wakeups,
    private readonly metrics: MessageMetrics,
  ) {
    this.loop = new Periodic({
      everyMs: EVERY_MS,
      run: () => this.tick(),
      onError: (error) => this.logger.warn({ msg: 'message clock: round failed', err: error }),
    });
  }

  onApplicationBootstrap(): void {
    if (this.config.works) this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** One batch of each: nobody's many hold up another's few for long. */
  private async tick(): Promise<void> {
    // Overdue first: what was to be sent by now is not queued any more.
    const expired = await this.move('expireOverdue');
    const queued = await this.move('queueScheduled');
    if (expired + queued > 0) this.wakeups.wake('lanes');
    const stalled = await this.move('stallUnacked');
    this.metrics.happened('expired', expired);
    this.metrics.happened('stalled', stalled);
    const cancelled = await this.move('cancelOfDeleted', CANCELLED_AT_ONCE);
    if (cancelled < CANCELLED_AT_ONCE) await this.move('deletedCleared');
    if (Math.max(expired, queued, stalled) >= AT_ONCE || cancelled >= CANCELLED_AT_ONCE) this.loop.nudge();
  }

  private async move(statement: Clockwork, atOnce = AT_ONCE): Promise<number> {
    const [row] = await this.system.run<{ moved: number }>(statement, [atOnce]);
    return row?.moved ?? 0;
  }
}
