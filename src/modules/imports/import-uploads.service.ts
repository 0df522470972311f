import { finished } from 'node:stream/promises';
import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { AppError } from '../../common/app-error';
import { newId } from '../../common/ids';
import { AuditLog } from '../../platform/audit/audit-log';
import { currentContext } from '../../platform/context/request-context';
import { rerun } from '../../platform/database/rerun';
import { TenantDatabase } from '../../platform/database/tenant-database';
import { Wakeups } from '../../platform/database/wakeups';
import { newStorageKey, ObjectStorage, type StoredObject } from '../../platform/storage/object-storage';
import { type StorageBounds, StorageQuota } from '../../platform/usage/storage-quota';
import { checkedUpload, type ImportFile } from './checked-upload';
import { KINDS } from './import-kinds';
import type { ImportKindName } from './import-kind';
import { ImportErrors } from './imports.errors';
import { ImportsRepository, type Upload } from './imports.repository';

/** Imports of one tenant that wait or run: each keeps a file. */
const MAX_OPEN = 20;
const RENEW_EVERY_MS = 60_000;

/** Takes files in. */
@Injectable()
export class ImportUploads {
  constructor(
    private readonly db: TenantDatabase,
    private readonly imports: ImportsRepository,
    private readonly storage: ObjectStorage,
    private readonly quota: StorageQuota,
    private readonly audit: AuditLog,
    private readonly wakeups: Wakeups,
  ) {}

  /**
   * Stores the file and queues its import; when this resolves both are durable. With an idempotency key a repeated call finds
   * the first one's import. Until it is worked off the file counts as what the tenant stores.
   * @returns the id of the import
   * @throws VALIDATION_FAILED for a file that is empty or has no proper header, RATE_LIMITED while too many imports wait,
   * PLAN_LIMIT_REACHED where the tenant's storage has no room for it, REQUEST_TIMEOUT for a file that comes in too slowly
   */
  async accept(actor: Actor, kind: ImportKindName, file: ImportFile): Promise<string> {
    const { tenantId } = actor;
    const id = currentContext()?.resourceId ?? newId();
    const upload: Upload = { id, kind, format: file.format, storageKey: newStorageKey(tenantId) };
    try {
      const bounds = await this.quota.boundsOf(tenantId);
      if (await this.begin(actor, upload)) await this.store(actor, upload, { file, bounds });
      else await finished(file.stream.resume()); // the first one's file is the one that counts
      return id;
    } catch (error) {
      file.stream.destroy();
      throw error;
    }
  }

  /** False where an earlier call with the same idempotency key got as far as queueing it. */
  private async begin(actor: Actor, upload: Upload): Promise<boolean> {
    const { tenantId } = actor;
    for (;;) {
      const outcome = await this.imports.begin(actor, upload, MAX_OPEN);
      if (outcome === 'begun') return true;
      if (outcome === 'crowded') throw ImportErrors.tooMany(MAX_OPEN);
      const before = await this.imports.findBegun(tenantId, upload.id);
      if (before && before.status !== 'uploading') return false;
      // The call before died while its file came in.
      if (before?.storageKey) await this.giveUp(tenantId, upload.id, before.storageKey);
    }
  }

  private async store(
    actor: Actor,
    upload: Upload,
    { file, bounds }: { file: ImportFile; bounds: StorageBounds },
  ): Promise<void> {
    const { tenantId } = actor;
    const { kind, storageKey } = upload;
    const renewing = setInterval(() => {
      this.imports.renew(tenantId, upload).catch(() => undefined); // the next one may come through
    }, RENEW_EVERY_MS).unref();
    const giveUp = async (error: unknown) => {
      await this.giveUp(tenantId, upload.id, storageKey).catch(() => undefined); // else the worker does it
      throw error;
    };
    const stored = await this.storage
      .put(storageKey, checkedUpload(file, KINDS[kind], bounds))
      .catch(giveUp)
      .finally(() => clearInterval(renewing));
    // Where it cannot be told whether that was committed, the file stays: the worker finds out. A refusal is none of ours.
    const queued = await this.queue(actor, upload, { stored, bounds }).catch((error: unknown) => {
      if (error instanceof AppError) return giveUp(error);
      throw error;
    });
    if (queued) return this.wakeups.wake('imports');
    await this.storage.delete(storageKey);
    throw ImportErrors.interrupted();
  }

  private queue(
    actor: Actor,
    upload: Upload,
    { stored, bounds }: { stored: StoredObject; bounds: StorageBounds },
  ): Promise<boolean> {
    const { tenantId } = actor;
    const { id, kind, format } = upload;
    const metadata = { kind, format, size_bytes: stored.sizeBytes, sha256: stored.sha256 };
    const work = () =>
      this.db.transaction(tenantId, async (tx) => {
        await this.quota.claim(tx, tenantId, stored.sizeBytes, bounds.limitBytes);
        if (!(await this.imports.accept(tx, tenantId, upload, stored))) return false;
        await this.audit.record(tx, actor, { action: 'IMPORT_STARTED', resource: `import:${id}`, metadata });
        return true;
      });
    return rerun(work);
  }

  /** The file first: as long as the row is there, somebody comes back for it. */
  private async giveUp(tenantId: string, id: string, storageKey: string): Promise<void> {
    await this.storage.delete(storageKey);
    await this.imports.forget(tenantId, id, storageKey);
  }
}
