import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { type Actor, actorMay } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import { countedPage, type Page, type PageRequest } from '../../common/paging';
import { AuditLog } from '../../platform/audit/audit-log';
import { TenantDatabase } from '../../platform/database/tenant-database';
import { assertVersion, type ExpectedVersions } from '../../platform/http/etag';
import { type ByteRange, ObjectStorage } from '../../platform/storage/object-storage';
import { FileErrors } from './files.errors';
import { maySee, seenBy } from './files.policy';
import { type FileFilter, type FileRow, FilesRepository } from './files.repository';
import { ReceivedFiles } from './received-files.service';

/** Files that are there: found, read and renamed. */
@Injectable()
export class FilesService {
  constructor(
    private readonly db: TenantDatabase,
    private readonly files: FilesRepository,
    private readonly storage: ObjectStorage,
    private readonly received: ReceivedFiles,
    private readonly audit: AuditLog,
  ) {}

  /** Newest first: the caller's own, or the tenant's where its role sees them. */
  async list(actor: Actor, asked: Omit<FileFilter, 'ownerId'>, page: PageRequest): Promise<Page<FileRow>> {
    const { tenantId } = actor;
    const filter = { ...asked, ...seenBy(actor) };
    return countedPage(page, this.files.list(tenantId, filter, page), (cap) => this.files.count(tenantId, filter, cap));
  }

  /** @throws NOT_FOUND, also where it is another user's and the caller sees its own only */
  async get(actor: Actor, id: string): Promise<FileRow> {
    const file = await this.readable(actor, id);
    if (!file) throw FileErrors.notFound();
    return file;
  }

  /**
   * The file, for a caller that hands it on: sends it, shows it, makes a link to it. Null where there is none that it may read.
   * @throws FORBIDDEN for a key that may not read files: what it hands on it could read elsewhere
   */
  async forUse(actor: Actor, id: string): Promise<FileRow | null> {
    if (!actorMay(actor, 'files:read')) throw CommonErrors.lacking('files:read');
    return this.readable(actor, id);
  }

  private async readable(actor: Actor, id: string): Promise<FileRow | null> {
    const file = await this.files.findById(actor.tenantId, id);
    return file && (await this.mayRead(actor, file)) ? file : null;
  }

  /** The file, whoever asks: the caller has shown a link to it. @throws NOT_FOUND */
  async linked({ tenantId, id }: { tenantId: string; id: string }): Promise<FileRow> {
    const file = await this.files.findById(tenantId, id);
    if (!file) throw FileErrors.notFound();
    return file;
  }

  /** Its bytes, or that part of them. @throws NOT_FOUND where they are gone */
  async open({ storage_key: key }: FileRow, range: ByteRange | null, signal: AbortSignal): Promise<Readable> {
    const stream = await this.storage.get(key, range ?? undefined, { signal });
    if (!stream) throw FileErrors.notFound();
    return stream;
  }

  /** Renames it; what changes nothing leaves no trace. @throws NOT_FOUND, FORBIDDEN, PRECONDITION_FAILED */
  async rename(actor: Actor, id: string, name: string | undefined, expected: ExpectedVersions): Promise<FileRow> {
    const { tenantId } = actor;
    await this.assertChangeable(actor, id);
    return this.db.transaction(tenantId, async (tx) => {
      const before = await this.files.lockById(tx, tenantId, id);
      if (!before) throw FileErrors.notFound();
      assertVersion(expected, before.version);
      if (name === undefined || name === before.name) return before;
      const entry = { metadata: { changed: ['name'] }, personal: { name, before: before.name } };
      await this.audit.record(tx, actor, { action: 'FILE_UPDATED', resource: `file:${id}`, ...entry });
      return this.files.rename(tx, tenantId, id, name);
    });
  }

  /** Whether the caller may change it, which nobody who reads it with its message alone may. @throws NOT_FOUND, FORBIDDEN */
  async assertChangeable(actor: Actor, id: string): Promise<void> {
    if (!maySee(actor, await this.get(actor, id))) throw CommonErrors.forbidden();
  }

  private async mayRead(actor: Actor, file: FileRow): Promise<boolean> {
    if (maySee(actor, file)) return true;
    return file.user_id === null && this.received.mayRead(actor, file.id);
  }
}
