import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../../config/config';
import { Wakeups } from '../../platform/database/wakeups';
import { Periodic } from '../../platform/loops/periodic';
import { SessionReconciler } from './session-reconciler.service';

const EVERY_MS = 60_000;
/** After a round in which something could not be mended. */
const AGAIN_MS = 5_000;
/** After a session was heard to have stopped; what comes meanwhile is seen to in the same round. */
const SOON_MS = 500;

/**
 * Reconciles at start and every minute, in worker processes; soon again where something could not be mended, or a session was
 * heard to have stopped.
 */
@Injectable()
export class ReconcilerLoop implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ReconcilerLoop.name);
  private readonly loop: Periodic;
  private again: NodeJS.Timeout | undefined;
  private soon: NodeJS.Timeout | undefined;
  private stopListening = (): void => undefined;

  constructor(
    private readonly config: Config,
    reconciler: SessionReconciler,
    private readonly wakeups: Wakeups,
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
    if (!this.config.works) return;
    this.loop.start();
    this.stopListening = this.wakeups.on('sessions', () => this.lookSoon());
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopListening();
    clearTimeout(this.again);
    clearTimeout(this.soon);
    await this.loop.stop();
  }

  private lookSoon(): void {
    this.soon ??= setTimeout(() => {
      this.soon = undefined;
      this.loop.nudge();
    }, SOON_MS).unref();
  }
}
