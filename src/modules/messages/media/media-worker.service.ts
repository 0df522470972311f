import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../../../config/config';
import { KeyedSlots } from '../../../platform/loops/keyed-slots';
import { Periodic } from '../../../platform/loops/periodic';
import { BackgroundStorage } from '../../../platform/storage/object-storage';
import { backoffMs, MAX_ATTEMPTS } from '../lanes/outcome';
import { MessageMetrics } from '../message.metrics';
import { type Fetched, MediaFetcher } from './media-fetcher.service';
import { MediaService } from './media.service';
import { FETCH_MS } from './media-source.service';
import { type MediaFailure, type MediaJob, MediaStore } from './media-store.service';

const EVERY_MS = 500;
/** Fetched from addresses that tenants named. */
const AT_ONCE = 24;
/** Fetched from one WAHA server: one that hangs takes nothing from the others. */
const AT_ONCE_FROM_WAHA = 12;
/** Of one tenant, from one server or from addresses: whose are slow waits for them alone. */
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
  private readonly servers = new KeyedSlots(AT_ONCE_FROM_WAHA);
  private readonly stop = new AbortController();

  constructor(
    private readonly config: Config,
    private readonly store: MediaStore,
    private readonly fetcher: MediaFetcher,
    private readonly storage: BackgroundStorage,
    private readonly metrics: MessageMetrics,
    private readonly media: MediaService,
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
    const busy = new Map<string, [string, string | null, number]>();
    let addresses = AT_ONCE;
    for (const { tenant_id: tenantId, server_id: serverId, received } of this.running.keys()) {
      if (!received) addresses -= 1;
      const from = received ? serverId : null;
      const [, , count] = busy.get(`${tenantId} ${from}`) ?? [tenantId, from, 0];
      busy.set(`${tenantId} ${from}`, [tenantId, from, count + 1]);
    }
    const room = {
      addresses,
      servers: this.servers.params,
      busy: busy.values(),
      each: AT_ONCE_EACH,
      leaseMs: LEASE_MS,
    };
    for (const job of await this.store.take(room)) this.run(job);
  }

  private run(job: MediaJob): void {
    if (job.received) this.servers.take(job.server_id);
    const fetching = this.fetchOne(job)
      .catch((error: unknown) => this.notNow(job, error))
      .finally(() => {
        this.running.delete(job);
        if (job.received) this.servers.release(job.server_id);
        this.loop.nudge();
      });
    this.running.set(job, fetching);
  }

  private async fetchOne(job: MediaJob): Promise<void> {
    // Whoever died while it stored the file may have got that far.
    if (job.stale_key !== null) await this.storage.delete(job.stale_key);
    if (!job.wanted && (await this.store.unwanted(job))) return;
    await this.conclude(job, await this.fetched(job));
  }

  private async fetched(job: MediaJob): Promise<Fetched> {
    if (job.attempts > MAX_ATTEMPTS) return { again: 'No attempt ended' };
    if (await this.media.isFull(job.tenant_id)) return { full: true };
    return this.fetcher.fetch(job, this.stop.signal);
  }

  private async conclude(job: MediaJob, fetched: Fetched): Promise<void> {
    if ('media' in fetched) {
      const outcome = await this.store.stored(job, fetched.media, await this.media.limitOf(job.tenant_id));
      if (outcome === 'stored') return this.metrics.happened('media_stored');
      // A file that nobody asks for any more (its message was retried, its tenant deleted) is not kept.
      await this.storage.delete(job.storage_key);
      return outcome === 'full' ? this.conclude(job, { full: true }) : undefined;
    }
    const failure = failureOf(fetched);
    if (mayChange(job, fetched) && job.attempts < MAX_ATTEMPTS) {
      const inMs = backoffMs(job.attempts - 1, BACKOFF_MAX_MS, Math.random);
      await this.store.later(job, inMs, { reason: failure.reason, counts: true });
    } else if (await this.store.failed(job, failure)) this.metrics.happened('media_failed');
  }

  /** Our own trouble is no fault of the address; where not even that can be written, the lease ends by itself. */
  private async notNow(job: MediaJob, error: unknown): Promise<void> {
    const ended = this.stop.signal.aborted;
    if (!ended) this.logger.warn({ msg: 'media: not fetched', err: error, message_id: job.message_id });
    const reason = ended ? 'The worker ended' : 'The file could not be stored';
    await this.store.later(job, ended ? 0 : OWN_TROUBLE_MS, { reason, counts: false }).catch(() => undefined);
  }
}

type Unfetched = Exclude<Fetched, { media: unknown }>;

/**
 * Whether another attempt may bring it. Where the storage is full, whoever sends hears of it at once and may retry; whoever wrote
 * to the tenant cannot, so that what they sent is tried for as long as anything is.
 */
const mayChange = (job: MediaJob, fetched: Unfetched): boolean =>
  'again' in fetched || ('full' in fetched && job.received);

function failureOf(fetched: Unfetched): MediaFailure {
  if ('failure' in fetched) return fetched.failure;
  if ('full' in fetched)
    return { code: 'STORAGE_FULL', reason: 'The tenant has no room for it in what it may store', retryable: true };
  return { code: 'MEDIA_UNREACHABLE', reason: fetched.again, retryable: true };
}
