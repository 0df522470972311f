import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../../../config/config';
import { Periodic } from '../../../platform/loops/periodic';
import { ObjectStorage } from '../../../platform/storage/object-storage';
import { backoffMs, MAX_ATTEMPTS } from '../lanes/outcome';
import { MessageMetrics } from '../message.metrics';
import { type Fetched, MediaFetcher } from './media-fetcher.service';
import { FETCH_MS } from './media-source.service';
import { type MediaJob, MediaStore } from './media-store.service';

const EVERY_MS = 500;
const AT_ONCE = 24;
/** Of one tenant: whose addresses are slow waits for them alone. */
const AT_ONCE_EACH = 4;
const LEASE_MS = FETCH_MS + 60_000;
const BACKOFF_MAX_MS = 300_000;
/** When something of ours is away. */
const OWN_TROUBLE_MS = 10_000;

/**
 * Fetches the files of messages, received ones and, before their first attempt, those to send, beside the lanes: a message
 * waits in its chat until its file is stored, and no address, however slow, holds up anything else. Any number of workers may run it; a file that a dead one was
 * fetching is taken by another when its lease is over.
 */
@Injectable()
export class MediaWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(MediaWorker.name);
  private readonly loop: Periodic;
  private readonly running = new Map<MediaJob, Promise<void>>();
  private readonly stop = new AbortController();

  constructor(
    private readonly config: Config,
    private readonly store: MediaStore,
    private readonly fetcher: MediaFetcher,
    private readonly storage: ObjectStorage,
    private readonly metrics: MessageMetrics,
  ) {
    this.loop = new Periodic({
      everyMs: EVERY_MS,
      run: () => this.takeDue(),
      onError: (error) => this.logger.warn({ msg: 'media: round failed', err: error }),
    });
  }

  onApplicationBootstrap(): void {
    if (this.config.works) this.loop.start();
  }

  /** Breaks off what is being fetched: another worker begins anew at once. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
    this.stop.abort();
    await Promise.all(this.running.values());
  }

  private async takeDue(): Promise<void> {
    const free = AT_ONCE - this.running.size;
    if (free <= 0) return; // the next that ends takes again
    const busy = new Map<string, number>();
    for (const { tenant_id } of this.running.keys()) busy.set(tenant_id, (busy.get(tenant_id) ?? 0) + 1);
    for (const job of await this.store.take(free, busy, { each: AT_ONCE_EACH, leaseMs: LEASE_MS })) this.run(job);
  }

  private run(job: MediaJob): void {
    const fetching = this.fetchOne(job)
      .catch((error: unknown) => this.notNow(job, error))
      .finally(() => {
        this.running.delete(job);
        this.loop.nudge();
      });
    this.running.set(job, fetching);
  }

  private async fetchOne(job: MediaJob): Promise<void> {
    // Whoever died while it stored the file may have got that far.
    if (job.stale_key !== null) await this.storage.delete(job.stale_key);
    if (!job.wanted && (await this.store.unwanted(job))) return;
    const used = job.attempts > MAX_ATTEMPTS;
    await this.conclude(job, used ? { again: 'No attempt ended' } : await this.fetcher.fetch(job, this.stop.signal));
  }

  private async conclude(job: MediaJob, fetched: Fetched): Promise<void> {
    if ('media' in fetched) {
      // A file that nobody asks for any more (its message was retried, its tenant deleted) is not kept.
      if (await this.store.stored(job, fetched.media)) this.metrics.happened('media_stored');
      else await this.storage.delete(job.storage_key);
      return;
    }
    if ('again' in fetched && job.attempts < MAX_ATTEMPTS) {
      const inMs = backoffMs(job.attempts - 1, BACKOFF_MAX_MS, Math.random);
      await this.store.later(job, inMs, { reason: fetched.again, counts: true });
      return;
    }
    const unreachable = (reason: string) => ({ code: 'MEDIA_UNREACHABLE' as const, reason, retryable: true });
    const failure = 'failure' in fetched ? fetched.failure : unreachable(fetched.again);
    if (await this.store.failed(job, failure)) this.metrics.happened('media_failed');
  }

  /** Our own trouble is no fault of the address; where not even that can be written, the lease ends by itself. */
  private async notNow(job: MediaJob, error: unknown): Promise<void> {
    const ended = this.stop.signal.aborted;
    if (!ended) this.logger.warn({ msg: 'media: not fetched', err: error, message_id: job.message_id });
    const reason = ended ? 'The worker ended' : 'The file could not be stored';
    await this.store.later(job, ended ? 0 : OWN_TROUBLE_MS, { reason, counts: false }).catch(() => undefined);
  }
}
