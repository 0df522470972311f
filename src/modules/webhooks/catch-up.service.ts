import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../../config/config';
import { SystemDatabase } from '../../platform/database/system-database';
import { KeyedSlots } from '../../platform/loops/keyed-slots';
import { Periodic } from '../../platform/loops/periodic';
import { CatchUpApplier, FRESH_MS } from './catch-up-applier.service';
import { CatchUpFiles } from './catch-up-files.service';
import { type CatchingUp, CatchUpReader } from './catch-up-reader.service';

const EVERY_MS = 2_000;
/** Sessions of one WAHA server: one that hangs takes nothing from the others. */
const AT_ONCE = 4;
/** While one worker is at it no other is; and so long it waits after a failure. */
const AGAIN_MS = 60_000;
/** A week's gap is read in pieces, the oldest first: what was read stays, and memory is bounded. */
const SPAN_MS = 6 * 3_600_000;
/** So long a session that works is not asked, for want of a reason. */
const UNASKED_MS = 10 * 60_000;

/**
 * Asks WAHA for the messages since a gap, of whichever side, and applies them through the door that events go through: each is
 * stored once, however often it comes. A gap is noted where a session begins to work again (NOTE_STATE), and where nobody
 * stood at the door of the webhooks for longer than WAHA tries again (WebhookDoor). A gap between WAHA and us is noticed by
 * nobody: so each session is asked every ten minutes, since the last time that nothing was missing.
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
    private readonly files: CatchUpFiles,
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
    await this.system.run('noteLongUnasked', [UNASKED_MS]);
    const due = await this.system.run<CatchingUp>('takeCatchUps', [AGAIN_MS, ...this.slots.params]);
    for (const session of due) this.slots.run(session.server_id, this.catchUp(session), () => this.loop.nudge());
  }

  private async catchUp(session: CatchingUp): Promise<void> {
    const { session_id, until } = session;
    const hold = new Hold(this.system, session);
    let spanMs = SPAN_MS;
    try {
      for (let from = session.catch_up_from; ;) {
        const to = new Date(Math.min(from.getTime() + spanMs, until.getTime()));
        const found = await this.reading.between(session, { from, to }, hold.goOn);
        if (found === null) {
          spanMs /= 2;
          continue;
        }
        const whole = await this.files.complete(session, found, hold.goOn);
        const all = await this.applying.apply(session, whole, hold.goOn);
        // What is too fresh yet, an echo that has no answer so far, is seen the next time, if nothing told of it by then.
        if (to >= until) return await hold.finish(all ? until : new Date(until.getTime() - FRESH_MS));
        else if (!all) return;
        else if (await hold.advance(to)) from = to;
        else return;
      }
    } catch (error) {
      this.logger.warn({ msg: 'not caught up yet', session_id, err: error });
    }
  }
}

/** That a session is this worker's; not once there is a new gap, or another worker: what is read then is not all, or not ours. */
class Hold {
  private mark: string;

  constructor(
    private readonly system: SystemDatabase,
    private readonly session: CatchingUp,
  ) {
    this.mark = session.mark;
  }

  /** Holds on to it; false when that is over. */
  readonly goOn = (): Promise<boolean> => this.write('goOnCatchingUp', [AGAIN_MS]);

  /** Everything until then is here. */
  advance(to: Date): Promise<boolean> {
    return this.write('advanceCatchUp', [to, AGAIN_MS]);
  }

  async finish(until: Date): Promise<void> {
    const { tenant_id, session_id } = this.session;
    if (this.mark !== '') await this.system.run('finishCatchUp', [tenant_id, session_id, this.mark, until]);
  }

  private async write(statement: 'goOnCatchingUp' | 'advanceCatchUp', more: unknown[]): Promise<boolean> {
    const { tenant_id, session_id } = this.session;
    if (this.mark === '') return false;
    const [row] = await this.system.run<{ mark: string }>(statement, [tenant_id, session_id, this.mark, ...more]);
    this.mark = row?.mark ?? '';
    return row !== undefined;
  }
}
