import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../../config/config';
import { SystemDatabase } from '../../platform/database/system-database';
import { Periodic } from '../../platform/loops/periodic';

const EVERY_MS = 5_000;
/** WAHA tries an event again for longer than this (docs/WAHA.md §5): a shorter absence loses nothing. */
const CLOSED_MS = 25_000;

/**
 * Notes that somebody takes events, as long as somebody does: this process, and a database to store them in. Who comes after
 * an absence that was too long has every session catch up.
 */
@Injectable()
export class WebhookDoor implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(WebhookDoor.name);
  private readonly loop: Periodic;

  constructor(
    private readonly config: Config,
    private readonly system: SystemDatabase,
  ) {
    this.loop = new Periodic({
      everyMs: EVERY_MS,
      run: () => this.keepOpen(),
      onError: (error) => this.logger.warn({ msg: 'webhook door: not noted', err: error }),
    });
  }

  onApplicationBootstrap(): void {
    if (this.config.answersApi) this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** How many sessions are to catch up since now. */
  async keepOpen(): Promise<number> {
    const [row] = await this.system.run<{ marked: number }>('keepDoorOpen', [CLOSED_MS]);
    const marked = row?.marked ?? 0;
    if (marked > 0) this.logger.log({ msg: 'events may have been missed', sessions: marked });
    return marked;
  }
}
