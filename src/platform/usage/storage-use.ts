import { Injectable } from '@nestjs/common';
import { BYTES_KEPT, HOLD_STORAGE } from '../database/storage-statements';
import { TenantDatabase, type TenantTransaction } from '../database/tenant-database';

// Sizes are far below 2^53: as numbers, not as the texts that sums come as.
const KEPT = `select ${BYTES_KEPT}::float8 as bytes`;

/** What tenants store, wherever it lies. */
@Injectable()
export class StorageUse {
  constructor(private readonly db: TenantDatabase) {}

  /** All bytes that the tenant keeps. */
  async bytesOf(tenantId: string): Promise<number> {
    const [row] = await this.db.query<{ bytes: number }>(tenantId, KEPT, [tenantId]);
    return row?.bytes ?? 0;
  }

  /** The same, with nobody else storing anything of the tenant until this transaction ends. Before every other lock. */
  async bytesHeld(tx: TenantTransaction, tenantId: string): Promise<number> {
    await tx.query(HOLD_STORAGE, [tenantId]);
    const [row] = await tx.query<{ bytes: number }>(KEPT, [tenantId]);
    return row?.bytes ?? 0;
  }
}
