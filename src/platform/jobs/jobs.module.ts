import { type BeforeApplicationShutdown, Global, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../../config/config';
import { DatabaseConnections } from '../database/database-connections';
import { HealthRegistry } from '../health/health-registry';
import { Metrics } from '../metrics/metrics';
import { JOBS } from './job-names';
import { JobQueue } from './job-queue';
import { PurgeExpiredJob } from './purge-expired.job';

/** Leaves room, within the time of a shutdown, for what ends after the jobs. */
const STOP_RESERVE_MS = 2_000;

const jobQueue = {
  provide: JobQueue,
  inject: [Config, DatabaseConnections, Metrics],
  useFactory: (config: Config, connections: DatabaseConnections, metrics: Metrics) => {
    const errors = metrics.counter({
      name: 'switchboard_job_queue_errors_total',
      help: 'Errors of the job queue itself',
    });
    const runs = metrics.counter({
      name: 'switchboard_job_runs_total',
      help: 'Runs of background jobs by their outcome',
      labelNames: ['job', 'outcome'],
    });
    return new JobQueue({
      url: connections.url('system'),
      works: config.works,
      stopTimeoutMs: Math.max(1_000, config.SHUTDOWN_TIMEOUT_S * 1000 - STOP_RESERVE_MS),
      onError: () => errors.inc(),
      onRun: (job, outcome) => runs.inc({ job, outcome }),
    });
  },
};

/** Background jobs and the housekeeping that belongs to no feature. */
@Global()
@Module({ providers: [jobQueue, PurgeExpiredJob], exports: [JobQueue] })
export class JobsModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    private readonly queue: JobQueue,
    private readonly purge: PurgeExpiredJob,
    private readonly health: HealthRegistry,
    private readonly config: Config,
  ) {}

  onApplicationBootstrap(): void {
    this.queue.register(JOBS.purgeExpired, (_payload, signal) => this.purge.run(signal));
    this.queue.schedule(JOBS.purgeExpired, '17 * * * *');
    this.queue.begin();
    // A process that only serves requests would load the library for nothing but this.
    if (this.config.works)
      this.health.register({ name: 'jobs', kind: 'info', check: async () => ({ queues: await this.queue.states() }) });
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.queue.stop();
  }
}
