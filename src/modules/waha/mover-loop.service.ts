import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../../config/config';
import { Periodic } from '../../platform/loops/periodic';
import { SessionMover } from './session-mover.service';

const EVERY_MS = 1_000;

/** Moves sessions in worker processes; any number of them may. */
@Injectable()
export class MoverLoop implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(MoverLoop.name);
  private readonly loop: Periodic;

  constructor(
    private readonly config: Config,
    private readonly mover: SessionMover,
  ) {
    this.loop = new Periodic({
      everyMs: EVERY_MS,
      run: () => mover.move(),
      onError: (error) => this.logger.warn({ msg: 'moving: round failed', err: error }),
    });
  }

  onApplicationBootstrap(): void {
    if (this.config.works) this.loop.start();
  }

  /** Moves on their way end first, as long as the shutdown has time; what is cut comes due again. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
    await this.mover.settled();
  }
}
