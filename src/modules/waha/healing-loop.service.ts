import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../../config/config';
import { Periodic } from '../../platform/loops/periodic';
import { SessionHealer } from './session-healer.service';

const EVERY_MS = 1_000;
/** Deaf sessions are looked for less often: it takes a look at every session. Also where the time is set to seconds. */
const LISTENS_IN_A_SPAN = 30;

/** Looks after the health of sessions in worker processes; any number of them may. */
@Injectable()
export class HealingLoop implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(HealingLoop.name);
  private readonly loops: Periodic[];

  constructor(
    private readonly config: Config,
    private readonly healer: SessionHealer,
  ) {
    const onError = (error: unknown) => this.logger.warn({ msg: 'healing: round failed', err: error });
    const listenMs = Math.max(EVERY_MS, (config.SESSION_DEAF_AFTER_S * 1_000) / LISTENS_IN_A_SPAN);
    this.loops = [
      new Periodic({ everyMs: EVERY_MS, run: () => healer.heal(), onError }),
      new Periodic({ everyMs: listenMs, run: () => healer.listen(), onError }),
    ];
  }

  onApplicationBootstrap(): void {
    if (this.config.works) for (const loop of this.loops) loop.start();
  }

  /** Restarts on their way end first, as long as the shutdown has time; what is cut comes due again. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
    await this.healer.settled();
  }
}
