import { Injectable, Logger } from '@nestjs/common';
import { PURGE_STATEMENTS } from '../database/purge-statements';
import { SystemDatabase } from '../database/system-database';

type PurgeStatement = keyof typeof PURGE_STATEMENTS;

const BATCH_ROWS = 2_000;
/** What is left after so many batches waits for the next run. */
const MAX_BATCHES = 500;

/** Removes what has outlived its retention, in small statements; safe to run twice and at the same time. */
@Injectable()
export class PurgeExpiredJob {
  private readonly logger = new Logger('Jobs');

  constructor(private readonly database: SystemDatabase) {}

  /** Runs until nothing expired is left or it is asked to stop. */
  async run(signal: AbortSignal): Promise<void> {
    for (const statement of Object.keys(PURGE_STATEMENTS) as PurgeStatement[]) {
      const rows = await this.purge(statement, signal);
      if (rows > 0) this.logger.log(`${statement}: ${rows} rows`);
    }
  }

  private async purge(statement: PurgeStatement, signal: AbortSignal): Promise<number> {
    let total = 0;
    for (let batch = 0; batch < MAX_BATCHES && !signal.aborted; batch++) {
      const [row] = await this.database.run<{ purged: number }>(statement, [BATCH_ROWS]);
      total += row?.purged ?? 0;
      if ((row?.purged ?? 0) < BATCH_ROWS) break;
    }
    return total;
  }
}
