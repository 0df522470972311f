import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describeStorage } from '../../../test/support/storage-suite';
import { newId } from '../../common/ids';
import { DiskStorage } from './disk-storage';
import { newStorageKey } from './object-storage';

describe('DiskStorage', () => {
  let folder: string;
  let storage: DiskStorage;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'storage-'));
    storage = new DiskStorage(folder);
  });
  afterEach(() => rm(folder, { recursive: true }));

  const temporaries = (): Promise<string[]> => readdir(path.join(folder, 'temporary')).catch(() => []);

  describeStorage(() => Promise.resolve({ storage, unfinished: async () => (await temporaries()).length }));

  it('sweeps what was begun a day ago, and neither what is being written nor what is stored', async () => {
    expect(await storage.sweep()).toBe(0);
    const key = newStorageKey(newId());
    await storage.put(key, Readable.from([Buffer.from('stored')]));
    const [old, young] = ['old', 'young'].map((name) => path.join(folder, 'temporary', name)) as [string, string];
    for (const name of [old, young]) await writeFile(name, 'half');
    const yesterday = new Date(Date.now() - 25 * 3_600_000);
    await utimes(old, yesterday, yesterday);
    expect(await storage.sweep()).toBe(1);
    expect(await temporaries()).toEqual(['young']);
    const stream = await storage.get(key);
    expect(stream && (await buffer(stream)).toString()).toBe('stored');
  });
});
