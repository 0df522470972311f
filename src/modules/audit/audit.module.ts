import { Module, type OnApplicationBootstrap, type OnModuleInit, Logger } from '@nestjs/common';
import { Config } from '../../config/config';
import { AuditLog } from '../../platform/audit/audit-log';
import { HealthRegistry } from '../../platform/health/health-registry';
import { JOBS } from '../../platform/jobs/job-names';
import { JobQueue } from '../../platform/jobs/job-queue';
import { AuditController } from './audit.controller';
import { AuditLogsRepository } from './audit-logs.repository';
import { AuditService } from './audit.service';
import { ChainKeys } from './chain';
import { ChainsRepository } from './chains.repository';
import { AuditRetentionJob } from './retention.job';
import { Sealer } from './sealer.service';
import { SealingLoop } from './sealing-loop.service';
import { ChainVerifier } from './verifier.service';

const DAILY = '41 3 * * *';

const chainKeys = {
  provide: ChainKeys,
  inject: [Config],
  useFactory: ({ DATA_ENCRYPTION_KEY: key }: Config) => {
    if (!key) throw new Error('DATA_ENCRYPTION_KEY is needed before the audit trail can be sealed');
    return new ChainKeys(Buffer.from(key, 'base64'));
  },
};

/** The audit trail: read, sealed, checked and kept. What is written into it, every feature writes (platform/audit). */
@Module({
  controllers: [AuditController],
  providers: [
    chainKeys,
    AuditLogsRepository,
    AuditRetentionJob,
    AuditService,
    ChainsRepository,
    ChainVerifier,
    Sealer,
    SealingLoop,
  ],
})
export class AuditModule implements OnModuleInit, OnApplicationBootstrap {
  private readonly logger = new Logger('Audit');

  constructor(
    private readonly config: Config,
    private readonly jobs: JobQueue,
    private readonly retention: AuditRetentionJob,
    private readonly chains: ChainsRepository,
    private readonly audit: AuditLog,
    private readonly health: HealthRegistry,
  ) {}

  onModuleInit(): void {
    this.jobs.register(JOBS.auditMaintain, (_payload, signal) => this.retention.run(signal));
    this.jobs.schedule(JOBS.auditMaintain, DAILY);
    this.health.register({ name: 'audit', kind: 'info', check: () => this.state() });
  }

  /** Months may be due since a worker last ran. */
  onApplicationBootstrap(): void {
    if (!this.config.works) return;
    this.jobs
      .send(JOBS.auditMaintain, { version: 1 })
      .catch((error: unknown) => this.logger.warn({ msg: 'audit: retention waits for its next turn', err: error }));
  }

  private async state(): Promise<Record<string, unknown>> {
    const { pending, oldest_s } = await this.chains.backlog();
    return { unsealed: pending, oldest_unsealed_s: oldest_s, buffered: this.audit.buffered, dropped: this.audit.lost };
  }
}
