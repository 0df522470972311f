import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { newId } from '../../common/ids';
import { Config } from '../../config/config';
import type { Upload } from '../../platform/http/multipart';
import { TenantDirectory } from '../../platform/http/tenant-directory';
import { FileHead, fileKindOf } from '../../platform/storage/file-kind';
import { shownFileName } from '../../platform/storage/file-name';
import { newStorageKey, ObjectStorage } from '../../platform/storage/object-storage';
import { StorageUse } from '../../platform/usage/storage-use';
import { FileErrors } from './files.errors';
import { FileKeeper, type NewFile } from './file-keeper.service';
import type { FileRow } from './files.repository';
import { ObjectRemovals } from './object-removals.service';

/** How large a file may be, and what the tenant's files may come to. */
interface Bounds {
  maxBytes: number;
  /** Null where there is no bound; the exact one is asked when the file is kept. */
  storageBytes: number | null;
  freeBytes: number;
}

/**
 * Takes files in, of any size in constant memory. The object is stored first, under a key that is on the list of those to be
 * removed; the row takes it off that list. So nothing is left of an upload that broke off, on whatever line.
 */
@Injectable()
export class FileUploads {
  constructor(
    private readonly config: Config,
    private readonly tenants: TenantDirectory,
    private readonly use: StorageUse,
    private readonly storage: ObjectStorage,
    private readonly keeper: FileKeeper,
    private readonly removals: ObjectRemovals,
  ) {}

  /**
   * Stores the file as the caller's.
   * @throws FILE_TOO_LARGE, PLAN_LIMIT_REACHED when the tenant's storage has no room for it, VALIDATION_FAILED when the form
   * breaks off or holds more; then nothing is kept
   */
  async store(actor: Actor, upload: Upload): Promise<FileRow> {
    const { tenantId } = actor;
    const [id, key] = [newId(), newStorageKey(tenantId)];
    try {
      const bounds = await this.boundsOf(tenantId);
      await this.keeper.announce(tenantId, key);
      const file = await this.put({ id, key }, upload, bounds);
      return await this.keeper.keep(actor, file, bounds.storageBytes);
    } catch (error) {
      upload.content.destroy();
      await this.removals.discard({ tenantId, key, fileId: id });
      throw error;
    }
  }

  private async put({ id, key }: { id: string; key: string }, upload: Upload, bounds: Bounds): Promise<NewFile> {
    const head = new FileHead();
    // Whatever breaks it off breaks off the storing too, which tells of it.
    pipeline(within(upload.content, bounds), head).catch(() => undefined);
    const stored = await this.storage.put(key, head);
    const kind = await fileKindOf(head.head);
    const name = shownFileName(upload.filename, `file.${kind.extension}`);
    return { id, key, name, mimeType: kind.mimeType, ...stored };
  }

  /** What is known before the first byte, so that what will not be kept is not stored either. */
  private async boundsOf(tenantId: string): Promise<Bounds> {
    const { MAX_UPLOAD_BYTES: maxBytes } = this.config;
    const { storage_bytes: storageBytes } = await this.tenants.limitsOf(tenantId);
    if (storageBytes === null) return { maxBytes, storageBytes, freeBytes: Infinity };
    return { maxBytes, storageBytes, freeBytes: storageBytes - (await this.use.bytesOf(tenantId)) };
  }
}

async function* within(content: Readable, { maxBytes, storageBytes, freeBytes }: Bounds): AsyncGenerator<Buffer> {
  let seen = 0;
  for await (const chunk of content as AsyncIterable<Buffer>) {
    seen += chunk.length;
    if (seen > maxBytes) throw FileErrors.tooLarge(maxBytes);
    if (seen > freeBytes) throw FileErrors.full(storageBytes ?? 0);
    yield chunk;
  }
}
