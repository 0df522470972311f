import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { newId } from '../../src/common/ids';
import { newStorageKey, type ObjectStorage } from '../../src/platform/storage/object-storage';

/** A storage to be tested, and how much of what was begun in it and not finished is left. */
export interface StorageUnderTest {
  storage: ObjectStorage;
  unfinished: () => Promise<number>;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What buffers hold that somebody still needs. */
function heldBytes(): number {
  collect();
  return process.memoryUsage().arrayBuffers;
}

/** What every storage promises. */
export function describeStorage(start: () => Promise<StorageUnderTest>): void {
  let storage: ObjectStorage;
  let unfinished: () => Promise<number>;
  const tenantId = newId();

  beforeEach(async () => {
    ({ storage, unfinished } = await start());
  });

  const put = (key: string, text: string) => storage.put(key, Readable.from([Buffer.from(text)]));
  const textOf = async (key: string, range?: { first: number; last: number }) => {
    const stream = await storage.get(key, range);
    return stream && (await buffer(stream)).toString();
  };

  it('gives back what was stored, whole or in part, and knows its size and digest', async () => {
    const key = newStorageKey(tenantId);
    const sha256 = createHash('sha256').update('0123456789').digest('hex');
    expect(await put(key, '0123456789')).toEqual({ sizeBytes: 10, sha256 });
    expect(await textOf(key)).toBe('0123456789');
    expect(await textOf(key, { first: 2, last: 4 })).toBe('234');
    expect(await unfinished()).toBe(0);
  });

  it('stores nothing at all', async () => {
    const key = newStorageKey(tenantId);
    expect(await put(key, '')).toMatchObject({ sizeBytes: 0 });
    expect(await textOf(key)).toBe('');
  });

  it('stores 64 MiB in much less memory, all of it', async () => {
    const piece = Buffer.alloc(65_536, 7);
    const before = heldBytes();
    let most = 0;
    const pieces = Array.from({ length: 1_024 }, () => piece);
    const stored = await storage.put(
      newStorageKey(tenantId),
      Readable.from(
        (function* () {
          for (const [i, each] of pieces.entries()) {
            if (i % 64 === 0) most = Math.max(most, heldBytes());
            yield each;
          }
        })(),
      ),
    );
    expect(stored.sizeBytes).toBe(64 * 1024 * 1024);
    expect(most - before).toBeLessThan(16 * 1024 * 1024);
    // Each look collects all garbage of a process that has run many tests before this one.
  }, 180_000);

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
    expect(await unfinished()).toBe(0);
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

  it('gives up what breaks off after some megabytes', async () => {
    const key = newStorageKey(tenantId);
    const broken = Readable.from(
      (async function* () {
        for (let i = 0; i < 20; i += 1) yield await Promise.resolve(Buffer.alloc(1024 * 1024, i));
        throw new Error('cut');
      })(),
    );
    await expect(storage.put(key, broken)).rejects.toThrow('cut');
    expect([await textOf(key), await unfinished()]).toEqual([null, 0]);
  });

  it('has of many at once each one whole', async () => {
    const keys = Array.from({ length: 20 }, () => newStorageKey(tenantId));
    await Promise.all(keys.map((key) => put(key, key)));
    expect(await Promise.all(keys.map((key) => textOf(key)))).toEqual(keys);
  });
}
