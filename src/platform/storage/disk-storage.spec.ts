import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { newId } from '../../common/ids';
import { DiskStorage } from './disk-storage';
import { newStorageKey } from './object-storage';

describe('DiskStorage', () => {
  let folder: string;
  let storage: DiskStorage;
  const tenantId = newId();

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'storage-'));
    storage = new DiskStorage(folder);
  });
  afterEach(() => rm(folder, { recursive: true }));

  const put = (key: string, text: string) => storage.put(key, Readable.from([Buffer.from(text)]));
  const textOf = async (key: string, range?: { first: number; last: number }) => {
    const stream = await storage.get(key, range);
    return stream && (await buffer(stream)).toString();
  };
  const temporaries = () => readdir(path.join(folder, 'temporary'));

  it('gives back what was stored, whole or in part, and knows its size and digest', async () => {
    const key = newStorageKey(tenantId);
    const sha256 = createHash('sha256').update('0123456789').digest('hex');
    expect(await put(key, '0123456789')).toEqual({ sizeBytes: 10, sha256 });
    expect(await textOf(key)).toBe('0123456789');
    expect(await textOf(key, { first: 2, last: 4 })).toBe('234');
    expect(await temporaries()).toEqual([]);
  });

  it('stores nothing at all', async () => {
    const key = newStorageKey(tenantId);
    expect(await put(key, '')).toMatchObject({ sizeBytes: 0 });
    expect(await textOf(key)).toBe('');
  });

  it('stores 64 MiB in much less memory, all of it', async () => {
    const piece = Buffer.alloc(65_536, 7);
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const pieces = Array.from({ length: 1_024 }, () => piece);
    const stored = await storage.put(
      newStorageKey(tenantId),
      Readable.from(
        (function* () {
          for (const each of pieces) {
            most = Math.max(most, process.memoryUsage().arrayBuffers);
            yield each;
          }
        })(),
      ),
    );
    expect(stored.sizeBytes).toBe(64 * 1024 * 1024);
    expect(most - before).toBeLessThan(16 * 1024 * 1024);
  });

  it('keeps what was there when the new content breaks off, and nothing of that', async () => {
    const key = newStorageKey(tenantId);
    await put(key, 'before');
    const broken = Readable.from(
      (async function* () {
        yield await Promise.resolve(Buffer.from('half'));
        throw new Error('cut');
      })(),
    );
    await expect(storage.put(key, broken)).rejects.toThrow('cut');
    expect(await textOf(key)).toBe('before');
    expect(await temporaries()).toEqual([]);
  });

  it('has nothing of a key that was never stored, or is deleted; both are fine', async () => {
    const key = newStorageKey(tenantId);
    expect(await textOf(key)).toBeNull();
    await storage.delete(key);
    await put(key, 'a');
    await storage.delete(key);
    expect(await textOf(key)).toBeNull();
  });

  it('deletes all of a tenant and nothing of another', async () => {
    const [mine, other] = [newStorageKey(tenantId), newStorageKey(newId())];
    await put(mine, 'mine');
    await put(other, 'other');
    await storage.deleteTenant(tenantId);
    expect([await textOf(mine), await textOf(other)]).toEqual([null, 'other']);
    await storage.deleteTenant(tenantId);
  });

  it.each([
    '',
    'a',
    '../secret',
    `${newId()}/../../etc/passwd`,
    `${newId()}/${newId()}/a`,
    `/${newId()}`,
    `${newId()}/`,
  ])('takes no key that it has not made: %s', async (key) => {
    await expect(storage.get(key)).rejects.toThrow('no storage key');
    await expect(storage.delete(key)).rejects.toThrow('no storage key');
    await expect(put(key, 'a')).rejects.toThrow('no storage key');
    await expect(storage.deleteTenant(key)).rejects.toThrow('no id of a tenant');
  });

  it('sweeps what was begun a day ago, and neither what is being written nor what is stored', async () => {
    expect(await storage.sweep()).toBe(0);
    const key = newStorageKey(tenantId);
    await put(key, 'stored');
    const [old, young] = ['old', 'young'].map((name) => path.join(folder, 'temporary', name)) as [string, string];
    for (const name of [old, young]) await writeFile(name, 'half');
    const yesterday = new Date(Date.now() - 25 * 3_600_000);
    await utimes(old, yesterday, yesterday);
    expect(await storage.sweep()).toBe(1);
    expect(await temporaries()).toEqual(['young']);
    expect(await textOf(key)).toBe('stored');
  });
});
