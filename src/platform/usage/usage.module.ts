import { Global, Module, type OnModuleInit } from '@nestjs/common';
import { JOBS } from '../jobs/job-names';
import { JobQueue } from '../jobs/job-queue';
import { ApiCalls } from './api-calls';
import { StorageCheckJob } from './storage-check.job';
import { StorageUse } from './storage-use';

/** Once a day, when few are awake: it reads all that is kept. */
const NIGHTLY = '43 3 * * *';

/** Measures what tenants use of the service itself. */
@Global()
@Module({ providers: [ApiCalls, StorageCheckJob, StorageUse], exports: [StorageUse] })
export class UsageModule implements OnModuleInit {
  constructor(
    private readonly jobs: JobQueue,
    private readonly check: StorageCheckJob,
  ) {}

  onModuleInit(): void {
    this.jobs.register(JOBS.checkStorage, async () => void (await this.check.run()));
    this.jobs.schedule(JOBS.checkStorage, NIGHTLY);
  }
}
