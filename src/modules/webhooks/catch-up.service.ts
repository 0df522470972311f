import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../../config/config';
import { SystemDatabase } from '../../platform/database/system-database';
import { KeyedSlots } from '../../platform/loops/keyed-slots';
import { Periodic } from '../../platform/loops/periodic';
import { CatchUpApplier } from './catch-up-applier.service';
import { type CatchingUp, CatchUpReader } from './catch-up-reader.service';

const EVERY_MS = 2_000;
/** Sessions of one WAHA server: one that hangs takes nothing from the others. */
const AT_ONCE = 4;
/** While one worker is at it no other is; and so long it waits after a failure. */
const AGAIN_MS = 60_000;

/**
 * Asks WAHA for the messages since a gap, of whichever side, and applies them through the door that events go through: each is
 * stored once, however often it comes. A gap is noted where a session begins to work again (NOTE_STATE), and where nobody
 * stood at the door of the webhooks for longer than WAHA tries again (WebhookDoor).
 */
@Injectable()
export class CatchUp implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(CatchUp.name);
  private readonly loop: Periodic;
  private readonly slots = new KeyedSlots(AT_ONCE);

  constructor(
    private readonly config: Config,
    private readonly system: SystemDatabase,
    private readonly reading: CatchUpReader,
    private readonly applying: CatchUpApplier,
  ) {
    this.loop = new Periodic({
      everyMs: EVERY_MS,
      run: () => this.round(),
      onError: (error) => this.logger.warn({ msg: 'catch-up: round failed', err: error }),
    });
  }

  onApplicationBootstrap(): void {
    if (this.config.works) this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
    await this.slots.settled();
  }

  /** Does not wait for the answers: a server that hangs holds up no other. */
  private async round(): Promise<void> {
    const due = await this.system.run<CatchingUp>('takeCatchUps', [AGAIN_MS, ...this.slots.params]);
    for (const session of due) this.slots.run(session.server_id, this.catchUp(session), () => this.loop.nudge());
  }

  private async catchUp(session: CatchingUp): Promise<void> {
    const { tenant_id, session_id } = session;
    let { mark } = session;
    // A new gap, or another worker: what is being read is not all, or not ours, any more.
    const goOn = async (): Promise<boolean> => {
      if (mark === '') return false;
      const [row] = await this.system.run<{ mark: string }>('goOnCatchingUp', [tenant_id, session_id, mark, AGAIN_MS]);
      mark = row?.mark ?? '';
      return row !== undefined;
    };
    try {
      const found = await this.reading.since(session, goOn);
      const applied = await this.applying.apply(session, found, goOn);
      if (applied && mark !== '') await this.system.run('finishCatchUp', [tenant_id, session_id, mark]);
    } catch (error) {
      this.logger.warn({ msg: 'not caught up yet', session_id, err: error });
    }
  }
}
