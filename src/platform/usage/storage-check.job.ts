import { Injectable, Logger } from '@nestjs/common';
import { SystemDatabase } from '../database/system-database';

/** A total that was not what the tenant keeps, and by how much it was put right. */
interface Mended {
  tenantId: string;
  bytes: number;
}

/** Compares what each tenant keeps with its running total. They never differ; where they did, somebody has to hear of it. */
@Injectable()
export class StorageCheckJob {
  private readonly logger = new Logger('Jobs');

  constructor(private readonly system: SystemDatabase) {}

  /** Puts right what differs, and answers how many totals did; safe to run twice and at the same time as anything else. */
  async run(): Promise<number> {
    const mended = await this.system.run<Mended>('mendStorage');
    for (const { tenantId, bytes } of mended)
      this.logger.error({ msg: 'storage: a total was wrong and is mended', tenant_id: tenantId, bytes });
    return mended.length;
  }
}
