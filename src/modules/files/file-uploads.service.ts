import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { newId } from '../../common/ids';
import { Config } from '../../config/config';
import type { Upload } from '../../platform/http/multipart';
import { FileHead, fileKindOf } from '../../platform/storage/file-kind';
import { shownFileName } from '../../platform/storage/file-name';
import { newStorageKey, ObjectStorage } from '../../platform/storage/object-storage';
import { type StorageBounds, StorageQuota, storageFull } from '../../platform/usage/storage-quota';
import { FileErrors } from './files.errors';
import { FileKeeper, type NewFile } from './file-keeper.service';
import type { FileRow } from './files.repository';
import { ObjectRemovals } from './object-removals.service';

/** How large a file may be, and how much the tenant may keep. */
interface Bounds extends StorageBounds {
  maxBytes: number;
}

/**
 * Takes files in, of any size in constant memory. The object is stored first, under a key that is on the list of those to be
 * removed; the row takes it off that list. So nothing is left of an upload that broke off, on whatever line.
 */
@Injectable()
export class FileUploads {
  constructor(
    private readonly config: Config,
    private readonly quota: StorageQuota,
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
      const bounds = { maxBytes: this.config.MAX_UPLOAD_BYTES, ...(await this.quota.boundsOf(tenantId)) };
      await this.keeper.announce(tenantId, key);
      const file = await this.keeper.whileStored(tenantId, key, () => this.put({ id, key }, upload, bounds));
      return await this.keeper.keep(actor, file, bounds.limitBytes);
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
}

async function* within(content: Readable, { maxBytes, limitBytes, freeBytes }: Bounds): AsyncGenerator<Buffer> {
  let seen = 0;
  for await (const chunk of content as AsyncIterable<Buffer>) {
    seen += chunk.length;
    if (seen > maxBytes) throw FileErrors.tooLarge(maxBytes);
    if (seen > freeBytes) throw storageFull(limitBytes ?? 0);
    yield chunk;
  }
}
