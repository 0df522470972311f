import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import { Config } from '../../config/config';
import { AccessChanges } from '../../platform/facts/access-changes';
import { JOBS } from '../../platform/jobs/job-names';
import { JobQueue } from '../../platform/jobs/job-queue';
import type { ExpectedVersions } from '../../platform/http/etag';
import { TenantPurgeJob } from './tenant-purge.job';
import { type TenantPurge, TenantPurgesRepository } from './tenant-purges.repository';
import { TenantsRepository } from './tenants.repository';

const HOURLY = '53 * * * *';
/** Other processes may let a user of the tenant in for 5 s more: what these still do, goes too. */
const AFTER_S = 10;
const PURGE = { pollS: 5, expireS: 3600, retries: 10 };

/** Deleting tenants: suspended for good at once, purged in the background. */
@Injectable()
export class TenantPurgesService implements OnModuleInit, OnApplicationBootstrap {
  private readonly logger = new Logger('Tenants');

  constructor(
    private readonly purges: TenantPurgesRepository,
    private readonly tenants: TenantsRepository,
    private readonly job: TenantPurgeJob,
    private readonly jobs: JobQueue,
    private readonly changes: AccessChanges,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.jobs.register(JOBS.purgeTenant, ({ tenantId }, signal) => this.job.run(tenantId, signal), PURGE);
    this.jobs.register(JOBS.resumePurges, (_payload, signal) => this.resume(signal));
    this.jobs.schedule(JOBS.resumePurges, HOURLY);
  }

  /** A process may have died between a deletion and its job. */
  onApplicationBootstrap(): void {
    if (!this.config.works) return;
    this.jobs
      .send(JOBS.resumePurges, { version: 1 })
      .catch((error: unknown) => this.logger.warn({ msg: 'purges wait for their next turn', err: error }));
  }

  /**
   * Deletes the tenant: nobody of it gets in from the next request on (5 s later at most in another process), and all that it
   * has goes in the background. Again, it answers how far that is, whatever versions are expected then.
   * @throws NOT_FOUND, PRECONDITION_FAILED
   */
  async delete(actor: Actor, id: string, expected: ExpectedVersions): Promise<TenantPurge> {
    const begun = await this.changes.ofTenant(id, () => this.purges.begin(actor, id, expected));
    const purge = begun ?? (await this.deletedView(id));
    if (!purge) throw await this.refusal(id);
    if (purge.finishedAt === null) await this.enqueue(id, AFTER_S);
    return purge;
  }

  /** A tenant that is being deleted or was; null when it is none of these. */
  deletedView(id: string): Promise<TenantPurge | null> {
    return this.purges.findById(id);
  }

  /** Goes on with every purge that is not finished, and goes once more over those that were lately. */
  async resume(signal: AbortSignal): Promise<void> {
    for (const id of await this.purges.unfinished()) await this.enqueue(id);
    for (const id of await this.purges.justFinished()) await this.job.erasePersonal(id, signal);
  }

  /** Why a tenant that was not deleted was not deleted now either. */
  private async refusal(id: string): Promise<Error> {
    return (await this.tenants.findById(id)) ? CommonErrors.preconditionFailed() : CommonErrors.notFound('tenant');
  }

  /** The tenant is deleted, whether or not its job can be queued now: it is found again every hour. */
  private async enqueue(tenantId: string, startAfterS = 0): Promise<void> {
    try {
      await this.jobs.send(JOBS.purgeTenant, { version: 1, tenantId }, { onceKey: tenantId, startAfterS });
    } catch (error) {
      this.logger.warn({ msg: 'a purge waits for its next turn', tenant_id: tenantId, err: error });
    }
  }
}
