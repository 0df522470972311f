import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../../../config/config';
import { SystemDatabase } from '../../../platform/database/system-database';
import { Periodic } from '../../../platform/loops/periodic';

const EVERY_MS = 1_000;
const AT_LEAST = 100;
/** How long what is folded may still change before it is rolled up: reading adds it up meanwhile. */
const RECENT_S = 600;

/** One of the two steps, and how many rows it takes at once. */
interface Step {
  statement: 'foldStats' | 'rollUpStats';
  most: number;
  /** Halved by each failure, for it may have been too much for the time that a statement has. */
  atOnce: number;
  more: unknown[];
}

/**
 * Adds up the figures of the messages: folds what has changed into the recent ones, and rolls up those of some minutes ago into
 * all others. Any number of workers may run it, one at a time gets its turn, and any may die: each change is counted once, in the
 * transaction that removes it. Where none runs the figures stay right, and reading them gets slower.
 */
@Injectable()
export class StatsFolder implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(StatsFolder.name);
  private readonly loop: Periodic;
  private readonly steps: Step[] = [
    { statement: 'foldStats', most: 5_000, atOnce: 5_000, more: [] },
    { statement: 'rollUpStats', most: 2_000, atOnce: 2_000, more: [RECENT_S] },
  ];

  constructor(
    private readonly config: Config,
    private readonly system: SystemDatabase,
  ) {
    this.loop = new Periodic({
      everyMs: EVERY_MS,
      run: () => this.round(),
      onError: (error) => this.logger.warn({ msg: 'message statistics: round failed', err: error }),
    });
  }

  onApplicationBootstrap(): void {
    if (this.config.works) this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** One after the other: neither keeps the other waiting for good. */
  private async round(): Promise<void> {
    for (const step of this.steps) await this.take(step);
  }

  private async take(step: Step): Promise<void> {
    const limit = step.atOnce;
    step.atOnce = Math.max(AT_LEAST, Math.floor(limit / 2));
    const [row] = await this.system.run<{ folded: number }>(step.statement, [limit, ...step.more]);
    step.atOnce = Math.min(step.most, limit * 2);
    if ((row?.folded ?? 0) >= limit) this.loop.nudge();
  }
}
