import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../../config/config';
import { Wakeups } from '../../platform/database/wakeups';
import { Periodic } from '../../platform/loops/periodic';
import { EventApplier } from './event-applier.service';
import { type SessionWithEvents, WebhookEventsRepository } from './webhook-events.repository';

const POLL_MS = 1_000;
const SESSIONS_AT_ONCE = 8;
const SESSIONS_PER_ROUND = 200;

/** Before every session. */
const NIL = '00000000-0000-0000-0000-000000000000';
const BEGINNING: SessionWithEvents = { tenant_id: NIL, session_id: NIL };

/** Applies stored events in worker processes: several sessions side by side, each session's events in order. */
@Injectable()
export class EventWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(EventWorker.name);
  private readonly loop: Periodic;
  private served: SessionWithEvents = BEGINNING;
  private stopListening: () => void = () => undefined;

  constructor(
    private readonly config: Config,
    private readonly events: WebhookEventsRepository,
    private readonly applier: EventApplier,
    private readonly wakeups: Wakeups,
  ) {
    this.loop = new Periodic({
      everyMs: POLL_MS,
      run: () => this.round(),
      onError: (error) => this.logger.warn({ msg: 'events: round failed', err: error }),
    });
  }

  onApplicationBootstrap(): void {
    if (!this.config.works) return;
    this.stopListening = this.wakeups.on('events', () => this.loop.nudge());
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopListening();
    await this.loop.stop();
  }

  private async round(): Promise<void> {
    const due = await this.events.sessionsDue(SESSIONS_PER_ROUND, this.served);
    const served = due.length;
    // The next round begins behind the last of this one; when the end is reached, at the beginning.
    this.served = due.length === SESSIONS_PER_ROUND ? (due.at(-1) ?? BEGINNING) : BEGINNING;
    let more = due.length === SESSIONS_PER_ROUND;
    const next = async (): Promise<void> => {
      for (let session = due.pop(); session; session = due.pop()) more = (await this.applyOf(session)) || more;
    };
    await Promise.all(Array.from({ length: SESSIONS_AT_ONCE }, next));
    if (more) this.loop.nudge();
    if (served > 0) this.wakeups.wake('lanes');
  }

  private async applyOf(session: SessionWithEvents): Promise<boolean> {
    try {
      return await this.applier.applyDue(session);
    } catch (error) {
      this.logger.warn({ msg: 'events not applied yet', err: error });
      return false;
    }
  }
}
