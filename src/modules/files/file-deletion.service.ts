import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { AuditLog } from '../../platform/audit/audit-log';
import type { TenantTransaction } from '../../platform/database/tenant-database';
import { assertVersion, type ExpectedVersions } from '../../platform/http/etag';
import { FileErrors } from './files.errors';
import { type FileRow, FilesRepository } from './files.repository';
import { FilesService } from './files.service';
import { ObjectRemovals } from './object-removals.service';
import { ObjectsRepository } from './objects.repository';
import { ShownFiles } from './shown-files.service';

/** Deletes files. */
@Injectable()
export class FileDeletion {
  constructor(
    private readonly service: FilesService,
    private readonly files: FilesRepository,
    private readonly shown: ShownFiles,
    private readonly objects: ObjectsRepository,
    private readonly removals: ObjectRemovals,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Removes the file, and its object at once or, where that cannot be, later. A message that the file was sent with, or waits
   * to be, keeps the bytes; the one that it came in as does not.
   * @throws NOT_FOUND, FORBIDDEN, PRECONDITION_FAILED
   */
  async remove(actor: Actor, id: string, expected: ExpectedVersions): Promise<void> {
    const { tenantId } = actor;
    await this.service.assertChangeable(actor, id);
    const doomed = await this.shown.deleting({ actor, fileId: id }, async (tx, letGo) => {
      const file = await this.files.lockById(tx, tenantId, id);
      if (!file) throw FileErrors.notFound();
      assertVersion(expected, file.version);
      const entry = { metadata: { size: file.size_bytes, mime_type: file.mime_type }, personal: { name: file.name } };
      await this.audit.record(tx, actor, { action: 'FILE_DELETED', resource: `file:${id}`, ...entry });
      await letGo();
      return this.release(tx, tenantId, file);
    });
    if (doomed !== null) await this.removals.discard({ tenantId, key: doomed, fileId: id });
  }

  /** The key of its object, where nobody keeps that any more. */
  private async release(tx: TenantTransaction, tenantId: string, file: FileRow): Promise<string | null> {
    if (file.user_id === null) await this.objects.blank(tx, tenantId, file.id);
    const kept = await this.objects.handOver(tx, tenantId, file.id);
    if (!kept) await this.objects.doom(tx, tenantId, file.storage_key);
    await this.files.remove(tx, tenantId, file.id);
    return kept ? null : file.storage_key;
  }
}
