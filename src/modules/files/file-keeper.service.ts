import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { AuditLog } from '../../platform/audit/audit-log';
import { rerun } from '../../platform/database/rerun';
import { TenantDatabase } from '../../platform/database/tenant-database';
import { StorageQuota } from '../../platform/usage/storage-quota';
import { FileErrors } from './files.errors';
import { type FileRow, FilesRepository } from './files.repository';
import { ObjectsRepository } from './objects.repository';

const RENEW_EVERY_MS = 10 * 60_000;

/** A file whose object is stored, and that nobody keeps yet. */
export interface NewFile {
  id: string;
  key: string;
  name: string;
  mimeType: string;
  sizeBytes: number;
  sha256: string;
}

/** Keeps the objects that were stored, within what the tenant's plan allows. */
@Injectable()
export class FileKeeper {
  constructor(
    private readonly db: TenantDatabase,
    private readonly files: FilesRepository,
    private readonly objects: ObjectsRepository,
    private readonly audit: AuditLog,
    private readonly quota: StorageQuota,
  ) {}

  /** An object is about to be stored under that key: unless it is kept within an hour it will be removed. */
  announce(tenantId: string, key: string): Promise<void> {
    return this.objects.announce(tenantId, key);
  }

  /** Does the work that stores the announced object, however long that takes: as long as it goes on, nobody removes it. */
  async whileStored<T>(tenantId: string, key: string, work: () => Promise<T>): Promise<T> {
    const renewing = setInterval(() => {
      this.objects.renew(tenantId, key).catch(() => undefined); // the next one may come through
    }, RENEW_EVERY_MS).unref();
    try {
      return await work();
    } finally {
      clearInterval(renewing);
    }
  }

  /**
   * Keeps it as the caller's file. However many are stored at once, in however many processes, the bound holds.
   * @param limitBytes what the tenant may store; null where there is no bound
   * @throws PLAN_LIMIT_REACHED, REQUEST_TIMEOUT when it took longer than anything may
   */
  async keep(actor: Actor, file: NewFile, limitBytes: number | null): Promise<FileRow> {
    const { tenantId } = actor;
    const { id, key, name, mimeType, sizeBytes, sha256 } = file;
    const metadata = { size: sizeBytes, mime_type: mimeType };
    const entry = { action: 'FILE_UPLOAD', resource: `file:${id}`, metadata, personal: { name } } as const;
    const work = () =>
      this.db.transaction(tenantId, async (tx) => {
        await this.quota.claim(tx, tenantId, sizeBytes, limitBytes);
        if (!(await this.objects.keep(tx, tenantId, key))) throw FileErrors.tooSlow();
        await this.audit.record(tx, actor, entry);
        return this.files.insert(tx, tenantId, {
          ...{ id, user_id: actor.id, name, sha256, storage_key: key },
          ...{ size_bytes: sizeBytes, mime_type: mimeType },
        });
      });
    return rerun(work);
  }
}
