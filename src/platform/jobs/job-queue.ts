import { Logger } from '@nestjs/common';
import type { ConstructorOptions, Job, PgBoss, QueueOptions } from 'pg-boss';
import type { JobName, JobPayloads } from './job-names';
import { JOB_SCHEMA } from './job-schema';

/** How a job is treated; the defaults suit housekeeping. */
export interface JobOptions {
  /** How often an idle worker looks for work. */
  pollS?: number;
  /** A run that takes longer counts as failed. */
  expireS?: number;
  /** Runs after a failed one. */
  retries?: number;
}

/** Does one job. It may run twice: a worker that dies in the middle is followed by another. The signal asks it to stop. */
export type JobHandler<N extends JobName> = (payload: JobPayloads[N], signal: AbortSignal) => Promise<void>;

interface Registration {
  name: JobName;
  handler: (payload: never, signal: AbortSignal) => Promise<void>;
  options: Required<JobOptions>;
  cron?: string;
}

export interface JobQueueSettings {
  /** The database as the role that `installJobSchema` named. */
  url: string;
  /** Whether this process does the jobs; where not, it only sends. */
  works: boolean;
  /** How long `stop` waits for jobs under way. */
  stopTimeoutMs: number;
  /** Called for each error of the queue itself, for the metrics. */
  onError?: () => void;
  /** Called after each run of a job, for the metrics. */
  onRun?: (name: JobName, outcome: 'done' | 'failed') => void;
}

/** A killed worker's heartbeat ends; whoever supervises sees that within the second interval and lets the job run again. */
const HEARTBEAT_S = 20;
const SUPERVISE_S = 20;
const START_RETRY_MS = 2_000;
const LOG_EVERY_MS = 10_000;
const DEFAULTS: Required<JobOptions> = { pollS: 30, expireS: 600, retries: 3 };

/** Jobs of one queue, from statistics that are up to a minute old. */
export interface QueueState {
  name: string;
  queued: number;
  active: number;
  failed: number;
}

/**
 * Background jobs in PostgreSQL (pg-boss), which nobody loses: a job is done, or retried, or stays there as failed. The
 * library is loaded when it is first needed. An outage of PostgreSQL delays jobs and stops nothing else.
 */
export class JobQueue {
  private readonly registrations = new Map<JobName, Registration>();
  private readonly logger = new Logger('Jobs');
  private boss: Promise<PgBoss> | undefined;
  private stopping = false;
  private retry: NodeJS.Timeout | undefined;
  private errorsUntold = 0;
  private lastToldAt = 0;

  constructor(private readonly settings: JobQueueSettings) {}

  /** Says who does a job. Call it while the modules are set up; one handler for a name. */
  register<N extends JobName>(name: N, handler: JobHandler<N>, options: JobOptions = {}): void {
    if (this.registrations.has(name)) throw new Error(`The job ${name} has two handlers`);
    this.registrations.set(name, {
      name,
      handler,
      options: { ...DEFAULTS, ...options },
    });
  }

  /** Lets a registered job run by this cron expression (UTC), once for all workers together. */
  schedule(name: JobName, cron: string): void {
    const registration = this.registrations.get(name);
    if (!registration) throw new Error(`The job ${name} has no handler`);
    registration.cron = cron;
  }

  /**
   * Queues a job; committed when this resolves.
   * @returns false when one with the same `onceKey` waits already
   */
  async send<N extends JobName>(
    name: N,
    payload: JobPayloads[N],
    options: { onceKey?: string; startAfterS?: number } = {},
  ): Promise<boolean> {
    const boss = await this.started();
    const id = await boss.send(name, payload, {
      ...(options.onceKey === undefined ? {} : { singletonKey: options.onceKey }),
      ...(options.startAfterS === undefined ? {} : { startAfter: options.startAfterS }),
    });
    return id !== null;
  }

  /** Begins to work, where this process does; comes back at once and keeps trying while PostgreSQL is away. */
  begin(): void {
    if (!this.settings.works || this.registrations.size === 0 || this.stopping) return;
    this.started().catch((error: unknown) => {
      this.note(error as Error);
      if (!this.stopping) this.retry = setTimeout(() => this.begin(), START_RETRY_MS).unref();
    });
  }

  /** How full the queues are. */
  async states(): Promise<QueueState[]> {
    const boss = await this.started();
    const queues = await boss.getQueues([...this.registrations.keys()]);
    return queues.map(({ name, readyCount, activeCount, failedCount }) => ({
      name,
      queued: readyCount,
      active: activeCount,
      failed: failedCount,
    }));
  }

  /** Takes no more jobs and waits for those under way; what is not done by then another worker does again. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.retry);
    const boss = await this.boss?.catch(() => undefined);
    await boss?.stop({ graceful: true, timeout: this.settings.stopTimeoutMs });
  }

  private started(): Promise<PgBoss> {
    if (this.stopping) return Promise.reject(new Error('The job queue has stopped'));
    this.boss ??= this.start().catch((error: unknown) => {
      this.boss = undefined;
      throw error;
    });
    return this.boss;
  }

  private async start(): Promise<PgBoss> {
    const { PgBoss } = await import('pg-boss');
    const boss = new PgBoss(optionsOf(this.settings));
    boss.on('error', (error) => this.note(error));
    boss.on('warning', ({ message, data }) => this.logger.warn(`${message} ${JSON.stringify(data)}`));
    try {
      await boss.start();
      for (const registration of this.registrations.values()) await this.set(boss, registration);
      return boss;
    } catch (error) {
      await boss.stop({ graceful: false }).catch(() => undefined);
      throw error;
    }
  }

  private async set(boss: PgBoss, { name, handler, options, cron }: Registration): Promise<void> {
    const queue: QueueOptions = {
      retryLimit: options.retries,
      retryDelay: 10,
      retryBackoff: true,
      retryDelayMax: 600,
      expireInSeconds: options.expireS,
      heartbeatSeconds: HEARTBEAT_S,
      deleteAfterSeconds: 24 * 3600,
    };
    // `short`: at most one waits for each onceKey (one at all, without a key).
    await boss.createQueue(name, { ...queue, policy: 'short' });
    await boss.updateQueue(name, queue);
    if (!this.settings.works) return;
    if (cron) await boss.schedule(name, cron, { version: 1 });
    await boss.work(name, { pollingIntervalSeconds: options.pollS }, async ([job]: Job<never>[]) => {
      if (job) await this.run(name, () => handler(job.data, job.signal));
    });
  }

  private async run(name: JobName, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.settings.onRun?.(name, 'done');
    } catch (error) {
      this.settings.onRun?.(name, 'failed');
      this.logger.error(`The job ${name} failed and will be tried again`, error);
      throw error;
    }
  }

  /** Each poll of an outage is an error: one line in ten seconds says it. */
  private note(error: Error): void {
    this.settings.onError?.();
    this.errorsUntold += 1;
    if (Date.now() - this.lastToldAt < LOG_EVERY_MS) return;
    this.logger.warn(`The job queue has trouble (${this.errorsUntold} times since it was last said): ${error.message}`);
    this.errorsUntold = 0;
    this.lastToldAt = Date.now();
  }
}

const optionsOf = ({ url, works }: JobQueueSettings): ConstructorOptions => ({
  connectionString: url,
  schema: JOB_SCHEMA,
  application_name: 'switchboard jobs',
  max: 2,
  connectionTimeoutMillis: 5_000,
  migrate: false,
  createSchema: false,
  supervise: works,
  schedule: works,
  superviseIntervalSeconds: SUPERVISE_S,
  monitorIntervalSeconds: SUPERVISE_S,
  maintenanceIntervalSeconds: 3600,
  queueCacheIntervalSeconds: 60,
  cronMonitorIntervalSeconds: 30,
  cronWorkerIntervalSeconds: 30,
  flowIntervalSeconds: 3600,
  // Both need more than this role may see or do.
  reindex: false,
  monitorVacuum: false,
});
