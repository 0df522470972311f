import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../../../config/config';
import { SystemDatabase } from '../../../platform/database/system-database';
import { Periodic } from '../../../platform/loops/periodic';

const EVERY_MS = 1_000;
const AT_ONCE = 5_000;
const AT_LEAST = 100;

/**
 * Folds what has changed into the figures of the messages. Any number of workers may run it, and any may die: each change is
 * counted once, in the transaction that removes it. Where none runs the figures stay right, and reading them gets slower.
 */
@Injectable()
export class StatsFolder implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(StatsFolder.name);
  private readonly loop: Periodic;
  /** Halved by each failure, for it may have been too much for the time that a statement has. */
  private atOnce = AT_ONCE;

  constructor(
    private readonly config: Config,
    private readonly system: SystemDatabase,
  ) {
    this.loop = new Periodic({
      everyMs: EVERY_MS,
      run: () => this.fold(),
      onError: (error) => this.logger.warn({ msg: 'message statistics: round failed', err: error }),
    });
  }

  onApplicationBootstrap(): void {
    if (this.config.works) this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  private async fold(): Promise<void> {
    const limit = this.atOnce;
    this.atOnce = Math.max(AT_LEAST, Math.floor(limit / 2));
    const [row] = await this.system.run<{ folded: number }>('foldStats', [limit]);
    this.atOnce = Math.min(AT_ONCE, limit * 2);
    if ((row?.folded ?? 0) >= limit) this.loop.nudge();
  }
}
