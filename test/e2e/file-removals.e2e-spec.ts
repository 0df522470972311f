import { Readable } from 'node:stream';
import { FileKeeper } from '../../src/modules/files/file-keeper.service';
import { ObjectRemovals } from '../../src/modules/files/object-removals.service';
import { BackgroundStorage, newStorageKey, ObjectStorage } from '../../src/platform/storage/object-storage';
import { upload } from '../support/files';
import { startTestApp, type TestApp } from '../support/running-app';
import { storageDifferences } from '../support/storage';
import { type Store, STORES } from '../support/stores';
import { eventually } from '../support/wait';

describe.each(STORES)('objects on %s that nobody keeps', (_name, startStore) => {
  let app: TestApp;
  let store: Store;

  beforeAll(async () => {
    store = await startStore();
    app = await startTestApp({ config: store.config });
  });

  afterAll(async () => {
    await app.close();
    await store.close();
  });

  /** Whatever a test does, the running totals are what is kept. */
  afterEach(async () => expect(await storageDifferences(app.owner)).toEqual([]));

  const objects = () => store.objects(app.tenantId);
  const listed = async () => (await app.owner.query('select from object_removals')).rowCount;
  const orphan = async (due: string, tenantId = app.tenantId) => {
    const key = newStorageKey(tenantId);
    await app.app.get(ObjectStorage).put(key, Readable.from([Buffer.from('a')]));
    const text = `insert into object_removals (tenant_id, storage_key, due_at) values ($1, $2, now() + $3::interval)`;
    await app.owner.query(text, [tenantId, key, due]);
    return key;
  };
  const isListed = async (key: string) =>
    ((await app.owner.query('select from object_removals where storage_key = $1', [key])).rowCount ?? 0) > 0;
  const minutesUntil = async (key: string) => {
    const text = `select round(extract(epoch from due_at - now()) / 60)::int as minutes from object_removals where storage_key = $1`;
    return (await app.owner.query<{ minutes: number }>(text, [key])).rows[0]?.minutes ?? NaN;
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
    const failing = jest.spyOn(app.app.get(ObjectStorage), 'delete').mockRejectedValue(new Error('away'));
    const before = await listed();
    expect((await http.delete(`/files/${file.id}`)).status).toBe(204);
    expect((await http.get(`/files/${file.id}`)).outcome).toBe('404 NOT_FOUND');
    expect(await listed()).toBe((before ?? 0) + 1);
    failing.mockRestore();
    expect(await objects()).toContain(name);
    await app.owner.query(`update object_removals set due_at = now() where storage_key = $1`, [name]);
    expect(await app.app.get(ObjectRemovals).sweep()).toBe(1);
    expect(await listed()).toBe(before);
  });

  it('that cannot be removed hold up no others, of whatever tenant, and are tried again after growing pauses', async () => {
    const removals = app.app.get(ObjectRemovals);
    const storage = app.app.get(BackgroundStorage);
    const [bad, other] = [await orphan('-2 hours'), await orphan('-1 hour')];
    const ofAnother = await orphan('-1 minute', await app.make.tenant());
    const remove = storage.delete.bind(storage);
    const failing = jest
      .spyOn(storage, 'delete')
      .mockImplementation((key) => (key === bad ? Promise.reject(new Error('denied')) : remove(key)));
    try {
      const paused: number[] = [];
      for (let round = 0; round < 3; round += 1) {
        expect(await removals.sweep()).toBe(round === 0 ? 2 : 0);
        paused.push(await minutesUntil(bad));
        await app.owner.query(`update object_removals set due_at = now() where storage_key = $1`, [bad]);
      }
      expect(paused).toEqual([10, 20, 40]);
      expect([await isListed(other), await isListed(ofAnother), await isListed(bad)]).toEqual([false, false, true]);
    } finally {
      failing.mockRestore();
    }
    expect([await removals.sweep(), await isListed(bad)]).toEqual([1, false]);
  });

  it('are left alone for a while where nothing can be removed', async () => {
    const storage = app.app.get(BackgroundStorage);
    for (let n = 0; n < 15; n += 1) await orphan('-1 minute');
    const failing = jest.spyOn(storage, 'delete').mockRejectedValue(new Error('away'));
    expect(await app.app.get(ObjectRemovals).sweep()).toBe(0);
    expect(failing).toHaveBeenCalledTimes(10);
    failing.mockRestore();
    await app.owner.query(`update object_removals set due_at = now() where due_at < now() + interval '30 minutes'`);
    expect(await app.app.get(ObjectRemovals).sweep()).toBe(15);
  });

  it('are none as long as an upload goes on, be it for hours', async () => {
    const key = await orphan('1 minute');
    jest.useFakeTimers({
      doNotFake: ['setTimeout', 'setImmediate', 'nextTick', 'performance', 'Date', 'queueMicrotask'],
    });
    try {
      await app.app.get(FileKeeper).whileStored(app.tenantId, key, async () => {
        jest.advanceTimersByTime(10 * 60_000);
        await eventually(async () => (await minutesUntil(key)) === 60);
      });
      await app.owner.query(`update object_removals set due_at = now() where storage_key = $1`, [key]);
      jest.advanceTimersByTime(60 * 60_000);
    } finally {
      jest.useRealTimers();
    }
    expect([await app.app.get(ObjectRemovals).sweep(), await isListed(key)]).toEqual([1, false]);
  });
});
