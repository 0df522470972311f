import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { ObjectRemovals } from '../../src/modules/files/object-removals.service';
import { newStorageKey, ObjectStorage } from '../../src/platform/storage/object-storage';
import { upload } from '../support/files';
import { startTestApp, type TestApp } from '../support/running-app';
import { storageDifferences } from '../support/storage';

describe('objects that nobody keeps', () => {
  let app: TestApp;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'removals-'));
    app = await startTestApp({ config: { STORAGE_PATH: folder } });
  });

  afterAll(async () => {
    await app.close();
    await rm(folder, { recursive: true });
  });

  /** Whatever a test does, the running totals are what is kept. */
  afterEach(async () => expect(await storageDifferences(app.owner)).toEqual([]));

  const objects = () => readdir(path.join(folder, app.tenantId)).catch(() => []);
  const listed = async () => (await app.owner.query('select from object_removals')).rowCount;
  const orphan = async (due: string) => {
    const key = newStorageKey(app.tenantId);
    await app.app.get(ObjectStorage).put(key, Readable.from([Buffer.from('a')]));
    const text = `insert into object_removals (tenant_id, storage_key, due_at) values ($1, $2, now() + $3::interval)`;
    await app.owner.query(text, [app.tenantId, key, due]);
  };

  it('that a dead process has left are swept when their time is over, by one or many, and no others', async () => {
    const { http } = await app.login('MANAGER');
    const kept = await upload(http, 'kept');
    for (const due of ['-1 second', '-1 hour', '1 hour']) await orphan(due);
    const removals = app.app.get(ObjectRemovals);
    const swept = await Promise.all([removals.sweep(), removals.sweep()]);
    expect(swept[0] + swept[1]).toBe(2);
    expect([(await objects()).length, await listed()]).toEqual([2, 1]);
    expect((await http.get(`/files/${kept.id}`)).text).toBe('kept');
  });

  it('that could not be removed with their file are removed later', async () => {
    const { http } = await app.login('MANAGER');
    const file = await upload(http, 'gone');
    const [name] = (
      await app.owner.query<{ storage_key: string }>('select storage_key from files where id = $1', [file.id])
    ).rows.map(({ storage_key: key }) => key);
    const object = path.join(folder, name ?? '');
    // A folder in its place is no file that can be removed.
    await rm(object);
    await mkdir(object);
    await writeFile(path.join(object, 'x'), 'x');
    const before = await listed();
    expect((await http.delete(`/files/${file.id}`)).status).toBe(204);
    expect((await http.get(`/files/${file.id}`)).outcome).toBe('404 NOT_FOUND');
    expect(await listed()).toBe((before ?? 0) + 1);
    await rm(object, { recursive: true });
    await app.owner.query(`update object_removals set due_at = now() where storage_key = $1`, [name]);
    expect(await app.app.get(ObjectRemovals).sweep()).toBe(1);
    expect(await listed()).toBe(before);
  });
});
