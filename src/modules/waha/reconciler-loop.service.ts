import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../../config/config';
import { Periodic } from '../../platform/loops/periodic';
import { SessionReconciler } from './session-reconciler.service';

const EVERY_MS = 60_000;
/** After a round in which something could not be mended. */
const AGAIN_MS = 5_000;

/** Reconciles at start and every minute, in worker processes; soon again where something could not be mended. */
@Injectable()
export class ReconcilerLoop implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ReconcilerLoop.name);
  private readonly loop: Periodic;
  private again: NodeJS.Timeout | undefined;

  constructor(
    private readonly config: Config,
    reconciler: SessionReconciler,
  ) {
    this.loop = new Periodic({
      everyMs: EVERY_MS,
      run: async () => {
        const failures = await reconciler.reconcile();
        for (const failure of failures) this.logger.warn({ msg: 'not reconciled', err: failure });
        if (failures.length > 0) this.again = setTimeout(() => this.loop.nudge(), AGAIN_MS).unref();
      },
      onError: (error) => this.logger.error({ msg: 'reconciler failed', err: error }),
    });
  }

  onApplicationBootstrap(): void {
    if (this.config.ROLE !== 'api') this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearTimeout(this.again);
    await this.loop.stop();
  }
}
