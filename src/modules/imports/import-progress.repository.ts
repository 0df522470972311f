import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../../platform/database/tenant-database';
import type { ImportJob } from './import-queue.service';
import type { Place } from './records';
import type { Written } from './row-writer';
import type { Refusal } from './rows';

/** After so long without a sign a worker counts as dead. */
export const LEASE_MS = 60_000;

/** Whoever works meanwhile is another: this worker has nothing more to do with the import. */
export class LeaseLost extends Error {}

/** What an import comes to when it ends. */
export interface EndedImport {
  read: string;
  inserted: string;
  updated: string;
  unchanged: string;
  refused: string;
}

const HOLD = `select next_byte from imports where tenant_id = $1 and id = $2 and lease = $3 and status = 'running' for no key update`;

const ADVANCE = `
  update imports set next_byte = $3, line = $4, inserted = inserted + $5::int, updated = updated + $6::int,
    unchanged = unchanged + $7::int, refused = refused + $8::int, read = read + $5::int + $6::int + $7::int + $8::int,
    attempts = 0, due_at = clock_timestamp() + ${LEASE_MS} * interval '1 ms'
  where tenant_id = $1 and id = $2 returning id`;

const REFUSE = `
  insert into import_errors (tenant_id, import_id, line, row_id, field, reason)
  select $1::uuid, $2::uuid, e.* from unnest($3::bigint[], $4::text[], $5::text[], $6::text[]) e returning line`;

const END = `
  update imports set status = $3, error = $4, finished_at = clock_timestamp(), due_at = clock_timestamp()
  where tenant_id = $1 and id = $2 returning read, inserted, updated, unchanged, refused`;

const LONGEST_REASON = 500;

/** How far an import is, within the transaction that takes it there. */
@Injectable()
export class ImportProgress {
  /**
   * Holds the import for this transaction.
   * @param expected how far it must be; null where that does not matter
   * @throws LeaseLost where somebody else has it, or it is not there
   */
  async hold(tx: TenantTransaction, { tenantId, id, lease }: ImportJob, expected: Place | null): Promise<void> {
    const [row] = await tx.query<{ next_byte: string }>(HOLD, [tenantId, id, lease]);
    if (!row || (expected && Number(row.next_byte) !== expected.byte)) throw new LeaseLost();
  }

  /** Notes what became of the rows up to that place. */
  async advance(tx: TenantTransaction, { tenantId, id }: ImportJob, next: Place, written: Written): Promise<void> {
    const { inserted, updated, unchanged, refused } = written;
    if (refused.length > 0) await tx.query(REFUSE, [tenantId, id, ...columnsOf(refused)]);
    const counts = [inserted, updated, unchanged, refused.length];
    await tx.query(ADVANCE, [tenantId, id, next.byte, next.line, ...counts]);
  }

  /** The import has ended, with that error where it could not be read to its end. */
  async end(tx: TenantTransaction, { tenantId, id }: ImportJob, error: string | null): Promise<EndedImport> {
    const [row] = await tx.query<EndedImport>(END, [tenantId, id, error === null ? 'finished' : 'failed', error]);
    if (!row) throw new LeaseLost();
    return row;
  }
}

const columnsOf = (refused: readonly Refusal[]): unknown[] => [
  refused.map(({ line }) => line),
  refused.map(({ rowId }) => rowId),
  refused.map(({ field }) => field),
  refused.map(({ reason }) => reason.replaceAll('\0', '').slice(0, LONGEST_REASON).toWellFormed()),
];
