import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../../config/config';
import { Periodic } from '../../platform/loops/periodic';
import { SessionReconciler } from './session-reconciler.service';

const EVERY_MS = 60_000;

/** Reconciles at start and every minute, in worker processes. */
@Injectable()
export class ReconcilerLoop implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ReconcilerLoop.name);
  private readonly loop: Periodic;

  constructor(
    private readonly config: Config,
    reconciler: SessionReconciler,
  ) {
    this.loop = new Periodic({
      everyMs: EVERY_MS,
      run: async () => {
        for (const failure of await reconciler.reconcile()) this.logger.warn({ msg: 'not reconciled', err: failure });
      },
      onError: (error) => this.logger.error({ msg: 'reconciler failed', err: error }),
    });
  }

  onApplicationBootstrap(): void {
    if (this.config.ROLE !== 'api') this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }
}
