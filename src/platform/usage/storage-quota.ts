import { Injectable } from '@nestjs/common';
import type { AppError } from '../../common/app-error';
import { CommonErrors } from '../../common/common.errors';
import type { TenantTransaction } from '../database/tenant-database';
import { TenantDirectory } from '../http/tenant-directory';
import { StorageUse } from './storage-use';

/** How much a tenant may keep. */
export interface StorageBounds {
  /** Of all that it keeps; null where there is no bound. */
  limitBytes: number | null;
  /** What is left of that now; the exact figure is asked when something is kept. */
  freeBytes: number;
}

/** Holds what tenants store to what their plans allow. Whoever provides the TenantDirectory provides this. */
@Injectable()
export class StorageQuota {
  constructor(
    private readonly tenants: TenantDirectory,
    private readonly use: StorageUse,
  ) {}

  /** What is known before the first byte comes in, so that what will not be kept is not stored either. @throws TENANT_NOT_FOUND */
  async boundsOf(tenantId: string): Promise<StorageBounds> {
    const limitBytes = await this.limitOf(tenantId);
    if (limitBytes === null) return { limitBytes, freeBytes: Infinity };
    return { limitBytes, freeBytes: limitBytes - (await this.use.bytesOf(tenantId)) };
  }

  /** Null where there is no bound. @throws TENANT_NOT_FOUND */
  async limitOf(tenantId: string): Promise<number | null> {
    return (await this.tenants.limitsOf(tenantId)).storage_bytes;
  }

  /** Why the tenant may keep nothing further (PLAN_LIMIT_REACHED); null when it may. @throws TENANT_NOT_FOUND */
  async fullness(tenantId: string): Promise<AppError | null> {
    const { limitBytes, freeBytes } = await this.boundsOf(tenantId);
    return freeBytes > 0 ? null : storageFull(limitBytes ?? 0);
  }

  /**
   * Makes sure that so many bytes more may be kept by this transaction, in whatever process others store at the same moment.
   * Before every other lock.
   * @param limitBytes of `boundsOf`, asked before the transaction began
   * @throws PLAN_LIMIT_REACHED
   */
  async claim(
    tx: TenantTransaction,
    tenantId: string,
    sizeBytes: number,
    limitBytes: StorageBounds['limitBytes'],
  ): Promise<void> {
    if (limitBytes === null) return;
    if ((await this.use.bytesHeld(tx, tenantId)) + sizeBytes > limitBytes) throw storageFull(limitBytes);
  }
}

/** There is no room for it in what the tenant may store. */
export const storageFull = (limitBytes: number): AppError => CommonErrors.planLimitReached('stored bytes', limitBytes);
