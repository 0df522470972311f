import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../../config/config';
import { isDatabaseFailure, isTimeout } from '../../platform/database/database-error';
import { Wakeups } from '../../platform/database/wakeups';
import { Periodic } from '../../platform/loops/periodic';
import { BackgroundStorage } from '../../platform/storage/object-storage';
import { LEASE_MS, LeaseLost } from './import-progress.repository';
import { type ImportJob, ImportQueue } from './import-queue.service';
import { ImportRunner } from './import-runner.service';

const EVERY_MS = 1_000;
const AT_ONCE = 2;
/** Attempts in a row that get nowhere. */
const MAX_ATTEMPTS = 8;
const AGAIN_MS = 5_000;
const AGAIN_MAX_MS = 300_000;

/**
 * Works imports off, those of one tenant one after another. Any number of workers may run it: an import whose worker died is
 * taken by another when its lease is over, and goes on behind its last portion. Uploads that broke off, and files of ended
 * imports, are removed here too.
 */
@Injectable()
export class ImportWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Imports');
  private readonly loop: Periodic;
  private readonly running = new Map<ImportJob, Promise<void>>();
  private readonly stop = new AbortController();
  private stopListening = (): void => undefined;

  constructor(
    private readonly config: Config,
    private readonly queue: ImportQueue,
    private readonly runner: ImportRunner,
    private readonly storage: BackgroundStorage,
    private readonly wakeups: Wakeups,
  ) {
    this.loop = new Periodic({
      everyMs: EVERY_MS,
      run: () => this.takeDue(),
      onError: (error) => this.logger.warn({ msg: 'imports: round failed', err: error }),
    });
  }

  onApplicationBootstrap(): void {
    if (!this.config.works) return;
    this.stopListening = this.wakeups.on('imports', () => this.loop.nudge());
    this.loop.start();
  }

  /** Ends with the portions under way: another worker goes on at once. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopListening();
    await this.loop.stop();
    this.stop.abort();
    await Promise.all(this.running.values());
  }

  private async takeDue(): Promise<void> {
    while (this.running.size < AT_ONCE && !this.stop.signal.aborted) {
      const job = await this.queue.take(LEASE_MS);
      if (!job) return;
      this.start(job);
    }
  }

  private start(job: ImportJob): void {
    const working = this.work(job)
      .catch((error: unknown) => this.notNow(job, error))
      .finally(() => {
        this.running.delete(job);
        this.loop.nudge();
      });
    this.running.set(job, working);
  }

  private async work(job: ImportJob): Promise<void> {
    if (job.status === 'running') {
      if (job.attempts > MAX_ATTEMPTS) await this.runner.giveUp(job, GIVEN_UP);
      else await this.runner.run(job, this.stop.signal);
    }
    // The file first: as long as the row says that there is one, somebody comes back for it.
    if (job.storageKey !== null) await this.storage.delete(job.storageKey);
    if (job.status === 'uploading') await this.queue.forgotten(job);
    else await this.queue.tidied(job);
  }

  /** Where not even that can be written, the lease ends by itself. */
  private async notNow(job: ImportJob, error: unknown): Promise<void> {
    if (error instanceof LeaseLost) return;
    const ended = this.stop.signal.aborted;
    const away = isDatabaseFailure(error) && !isTimeout(error);
    if (!ended) this.logger.warn({ msg: 'imports: an import waits', err: error, import_id: job.id });
    const inMs = ended ? 0 : Math.min(AGAIN_MS * 2 ** Math.min(job.attempts, 10), AGAIN_MAX_MS);
    await this.queue.later(job, away ? AGAIN_MS : inMs, !ended && !away).catch(() => undefined);
  }
}

const GIVEN_UP =
  'The import could not go on, and was given up: what it counts is done. Send the rest of the file again';
