import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { isId, newId } from '../../common/ids';
import { type ByteRange, ObjectStorage, partsOfKey, type StoredObject } from './object-storage';

const TEMPORARY = 'temporary';
/** Fewer and larger reads than Node's 64 KiB: each costs a turn of the thread pool. */
const READ_BYTES = 256 * 1024;
const TEMPORARY_FOR_MS = 24 * 60 * 60_000;

const gone = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/**
 * Objects as files below one folder: `<tenant id>/<object id>`. An object is written under a temporary name beside them, flushed
 * and renamed, so that power may fail at any point; what a dead process left under a temporary name goes a day later.
 */
export class DiskStorage extends ObjectStorage {
  private readonly root: string;
  private readonly temporary: string;

  /** @param folder made when something is stored; one file system, for files are moved within it */
  constructor(folder: string) {
    super();
    this.root = path.resolve(folder);
    this.temporary = path.join(this.root, TEMPORARY);
  }

  async put(key: string, content: Readable): Promise<StoredObject> {
    const target = this.pathOf(key);
    const draft = path.join(this.temporary, newId());
    try {
      await mkdir(this.temporary, { recursive: true });
      const stored = await writeAll(draft, content);
      const folder = path.dirname(target);
      const made = await mkdir(folder, { recursive: true });
      await rename(draft, target);
      await flushFolder(folder);
      if (made !== undefined) await flushFolder(this.root);
      return stored;
    } catch (error) {
      content.destroy();
      await rm(draft, { force: true });
      throw error;
    }
  }

  async get(key: string, range?: ByteRange): Promise<Readable | null> {
    let file: FileHandle;
    try {
      file = await open(this.pathOf(key));
    } catch (error) {
      if (gone(error)) return null;
      throw error;
    }
    // The handle closes with the stream, however that ends.
    return createReadStream('', {
      fd: file,
      highWaterMark: READ_BYTES,
      ...(range ? { start: range.first, end: range.last } : {}),
    });
  }

  async delete(key: string): Promise<void> {
    await rm(this.pathOf(key), { force: true });
  }

  async deleteTenant(tenantId: string): Promise<void> {
    if (!isId(tenantId)) throw new Error('This is no id of a tenant');
    await rm(path.join(this.root, tenantId), { recursive: true, force: true });
  }

  /** Removes what was begun more than a day ago and never finished; answers how many. */
  async sweep(nowMs = Date.now()): Promise<number> {
    const names = await readdir(this.temporary).catch((error: unknown) => {
      if (gone(error)) return [];
      throw error;
    });
    let swept = 0;
    for (const name of names) swept += (await this.sweepOne(path.join(this.temporary, name), nowMs)) ? 1 : 0;
    return swept;
  }

  private async sweepOne(file: string, nowMs: number): Promise<boolean> {
    try {
      if (nowMs - (await stat(file)).mtimeMs < TEMPORARY_FOR_MS) return false;
      await rm(file);
      return true;
    } catch (error) {
      if (gone(error)) return false; // finished, or swept by another process
      throw error;
    }
  }

  private pathOf(key: string): string {
    return path.join(this.root, ...partsOfKey(key));
  }
}

/** Writes a new file and flushes it to the disk. */
async function writeAll(name: string, content: Readable): Promise<StoredObject> {
  const file = await open(name, 'wx', 0o600);
  try {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    for await (const chunk of content as AsyncIterable<Buffer>) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      await file.writeFile(chunk);
    }
    await file.sync();
    return { sizeBytes, sha256: hash.digest('hex') };
  } finally {
    await file.close();
  }
}

/** A name lasts when its folder is flushed. */
async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
