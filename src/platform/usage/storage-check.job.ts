import { Injectable, Logger } from '@nestjs/common';
import { SystemDatabase } from '../database/system-database';

/** Tenants that are looked up at once. */
const TENANTS = 500;
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

/** Compares what each tenant keeps with its running total. They never differ; where they did, somebody has to hear of it. */
@Injectable()
export class StorageCheckJob {
  private readonly logger = new Logger('Jobs');

  constructor(private readonly system: SystemDatabase) {}

  /** Puts right what differs, and answers how many totals did; safe to run twice and at the same time as anything else. */
  async run(): Promise<number> {
    let mended = 0;
    for (let last = BEFORE_ALL; ;) {
      const tenants = await this.system.run<{ id: string }>('tenantsToCheck', [last, TENANTS]);
      for (const { id } of tenants) if (await this.mend(id)) mended += 1;
      const end = tenants.at(-1);
      if (!end || tenants.length < TENANTS) return mended;
      last = end.id;
    }
  }

  /** False where the tenant's total is right, or another check is at it. */
  private async mend(tenantId: string): Promise<boolean> {
    const difference = await this.system.transaction(async (run) => {
      const [lock] = await run<{ isOurs: boolean }>('beginStorageCheck', [tenantId]);
      return lock?.isOurs ? (await run<{ bytes: number }>('mendStorage', [tenantId]))[0] : undefined;
    });
    if (!difference) return false;
    const { bytes } = difference;
    this.logger.error({ msg: 'storage: a total was wrong and is mended', tenant_id: tenantId, bytes });
    return true;
  }
}
