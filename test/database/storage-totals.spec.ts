import type { Client } from 'pg';
import { newId } from '../../src/common/ids';
import { migrate, revertLast } from '../../src/platform/database/migrate';
import { StorageCheckJob } from '../../src/platform/usage/storage-check.job';
import { StorageUse } from '../../src/platform/usage/storage-use';
import { freshDatabase, type TestDatabase } from '../support/database';
import { Factories } from '../support/factories';
import { storageDifferences } from '../support/storage';
import { type Doors, openDoors } from './database.harness';

let db: TestDatabase;
let owner: Client;
let doors: Doors;
let make: Factories;
let use: StorageUse;
let tenantId: string;

beforeAll(async () => {
  db = await freshDatabase();
  owner = await db.owner();
  doors = await openDoors(db, 8);
  make = new Factories(owner);
  use = new StorageUse(doors.tenant);
});

afterAll(async () => {
  await doors.close();
  await owner.end();
  await db.drop();
});

beforeEach(async () => {
  tenantId = await make.tenant();
});

afterEach(async () => {
  expect(await storageDifferences(owner)).toEqual([]);
});

type Run = (text: string, params: unknown[]) => Promise<unknown>;

const FILE = `insert into files (tenant_id, id, name, size_bytes, mime_type, sha256, storage_key)
  values ($1, $2, 'f', $3, 'text/plain', '', 'key')`;

async function addFile(run: Run, bytes: number): Promise<string> {
  const id = newId();
  await run(FILE, [tenantId, id, bytes]);
  return id;
}

const removeFile = (run: Run, id: string) => run('delete from files where tenant_id = $1 and id = $2', [tenantId, id]);
const asOwner: Run = (text, params) => owner.query(text, params);
const asTenant: Run = (text, params) => doors.tenant.query(tenantId, text, params);
const changes = async () =>
  (await owner.query('select from storage_changes where tenant_id = $1', [tenantId])).rowCount ?? 0;

/** A message with a file of its own, which nobody has fetched yet. */
async function addMedia(): Promise<string> {
  const session = await make.session(tenantId);
  const id = await make.message(session, { direction: 'inbound', status: 'received' });
  await owner.query(`insert into message_media (tenant_id, message_id) values ($1, $2)`, [tenantId, id]);
  return id;
}

const STORED = `update message_media set state = 'stored', storage_key = 'key', mime_type = 'text/plain', size_bytes = 70, sha256 = ''
  where tenant_id = $1 and message_id = $2`;

describe('what a tenant keeps', () => {
  it('is nothing at first, and what it stores and does not delete afterwards', async () => {
    expect(await use.bytesOf(tenantId)).toBe(0);
    const ids = [await addFile(asTenant, 100), await addFile(asTenant, 20), await addFile(asTenant, 3)];
    expect(await use.bytesOf(tenantId)).toBe(123);
    await removeFile(asTenant, ids[1] ?? '');
    expect(await use.bytesOf(tenantId)).toBe(103);
    await owner.query(`update files set size_bytes = 4 where tenant_id = $1 and id = $2`, [tenantId, ids[2]]);
    await owner.query(`update files set name = 'renamed' where tenant_id = $1`, [tenantId]);
    expect([await use.bytesOf(tenantId), await changes()]).toEqual([104, 5]);
  });

  it('counts no upload that was taken back, and sees within a transaction what it stores itself', async () => {
    await addFile(asTenant, 1);
    const within = doors.tenant.transaction(tenantId, async (tx) => {
      await addFile((text, params) => tx.query(text, params), 50);
      expect(await use.bytesHeld(tx, tenantId)).toBe(51);
      expect(await use.bytesOf(tenantId)).toBe(1);
      throw new Error('broken off');
    });
    await expect(within).rejects.toThrow('broken off');
    expect(await use.bytesOf(tenantId)).toBe(1);
  });

  it('counts a message’s own file while it has it, and none that it only shows', async () => {
    const id = await addMedia();
    expect(await use.bytesOf(tenantId)).toBe(0);
    await owner.query(STORED, [tenantId, id]);
    expect(await use.bytesOf(tenantId)).toBe(70);
    await owner.query(`update message_media set file_id = $2 where tenant_id = $1`, [tenantId, newId()]);
    expect(await use.bytesOf(tenantId)).toBe(0);
    await owner.query(`update message_media set file_id = null where tenant_id = $1`, [tenantId]);
    expect(await use.bytesOf(tenantId)).toBe(70);
    await owner.query(`update message_media set due_at = now(), attempts = 3 where tenant_id = $1`, [tenantId]);
    expect(await changes()).toBe(3);
    await owner.query('delete from messages where tenant_id = $1 and id = $2', [tenantId, id]);
    expect(await use.bytesOf(tenantId)).toBe(0);
  });

  it('counts the file of an import until it is worked off', async () => {
    const id = newId();
    await owner.query(
      `insert into imports (tenant_id, id, kind, format, actor_kind, actor_id, storage_key)
        values ($1, $2, 'products', 'csv', 'user', $2, 'key')`,
      [tenantId, id],
    );
    expect(await changes()).toBe(0);
    await owner.query(`update imports set status = 'queued', size_bytes = 900 where id = $1`, [id]);
    expect(await use.bytesOf(tenantId)).toBe(900);
    await owner.query(`update imports set status = 'finished', storage_key = null where id = $1`, [id]);
    expect(await use.bytesOf(tenantId)).toBe(0);
  });

  it('is folded together as it grows, so that reading it looks at few rows however many files there were', async () => {
    for (let n = 0; n < 200; n += 1) await addFile(asTenant, n);
    expect(await use.bytesOf(tenantId)).toBe(19_900);
    expect(await changes()).toBeLessThan(61);
  });

  it('is right while many store and delete at once, none of whom waits for another', async () => {
    const work = async (): Promise<void> => {
      for (let n = 1; n <= 60; n += 1) {
        const ids: string[] = [];
        const transaction = doors.tenant.transaction(tenantId, async (tx) => {
          const run: Run = (text, params) => tx.query(text, params);
          ids.push(await addFile(run, n), await addFile(run, 2 * n));
          await removeFile(run, ids[0] ?? '');
          if (n % 7 === 0) throw new Error('broken off');
        });
        await transaction.catch((error: Error) => expect(error.message).toBe('broken off'));
        if (n % 5 === 0) await removeFile(asTenant, ids[1] ?? '');
      }
    };
    await Promise.all(Array.from({ length: 6 }, work));
    // 2 + 4 + … + 120, without what was broken off or removed.
    const left = Array.from({ length: 60 }, (_, n) => n + 1).filter((n) => n % 7 > 0 && n % 5 > 0);
    expect(await use.bytesOf(tenantId)).toBe(6 * 2 * left.reduce((sum, n) => sum + n));
    expect(await changes()).toBeLessThan(4 * 61);
  });

  it('grows for others while somebody who folds it has not committed', async () => {
    const one = await db.owner();
    await one.query('begin');
    for (let n = 0; n < 70; n += 1) await addFile((text, params) => one.query(text, params), 1);
    for (let n = 0; n < 70; n += 1) await addFile(asOwner, 10);
    expect(await use.bytesOf(tenantId)).toBe(700);
    await one.query('commit');
    await one.end();
    expect(await use.bytesOf(tenantId)).toBe(770);
  });

  it('goes with a tenant that is deleted, whose files are not subtracted any more', async () => {
    for (let n = 0; n < 70; n += 1) await addFile(asTenant, 5);
    await owner.query('update tenants set deleted_at = now() where id = $1', [tenantId]);
    const before = await changes();
    await asTenant('delete from files where tenant_id = $1', [tenantId]);
    expect(await changes()).toBe(before);
    await owner.query('delete from tenants where id = $1', [tenantId]);
    const left = await owner.query('select from storage_totals where tenant_id = $1', [tenantId]);
    expect([left.rowCount, await changes()]).toEqual([0, 0]);
  });

  it('goes at once with a tenant that takes its files along', async () => {
    for (let n = 0; n < 70; n += 1) await addFile(asTenant, 5);
    await owner.query('delete from tenants where id = $1', [tenantId]);
    expect(await changes()).toBe(0);
  });
});

describe('the check of the totals', () => {
  it('finds nothing where they are right, and mends what is wrong, whichever way', async () => {
    const check = new StorageCheckJob(doors.system);
    const other = await make.tenant();
    await addFile(asTenant, 100);
    expect(await check.run()).toBe(0);
    await owner.query('insert into storage_changes (tenant_id, bytes) values ($1, 7)', [other]);
    await owner.query('update storage_changes set bytes = 60 where tenant_id = $1', [tenantId]);
    expect(await storageDifferences(owner)).toHaveLength(2);
    expect(await check.run()).toBe(2);
    expect([await use.bytesOf(tenantId), await use.bytesOf(other)]).toEqual([100, 0]);
    expect(await check.run()).toBe(0);
  });

  it('mends a total once, however often it runs at the same time', async () => {
    const check = new StorageCheckJob(doors.system);
    await addFile(asTenant, 100);
    for (let round = 1; round <= 10; round += 1) {
      await owner.query('insert into storage_changes (tenant_id, bytes) values ($1, $2)', [tenantId, round]);
      const mended = await Promise.all([check.run(), check.run(), check.run()]);
      expect([round, mended.reduce((sum, n) => sum + n), await use.bytesOf(tenantId)]).toEqual([round, 1, 100]);
    }
  });

  it('comes to every tenant, however many there are, and to none that is deleted', async () => {
    const { rows } = await owner.query<{ id: string }>(
      `insert into tenants (id, slug, name)
        select gen_random_uuid(), 'many-' || n, 'Many' from generate_series(1, 1100) n returning id`,
    );
    await owner.query(`insert into storage_changes (tenant_id, bytes) select id, 5 from tenants where name = 'Many'`);
    await owner.query('update tenants set deleted_at = now() where id = $1', [rows[0]?.id]);
    expect(await new StorageCheckJob(doors.system).run()).toBe(1099);
    await owner.query(`delete from tenants where name = 'Many'`);
  });
});

describe('the totals of an installation that has files already', () => {
  it('begin with what is there', async () => {
    const old = await freshDatabase();
    const client = await old.owner();
    const there = async (): Promise<boolean> =>
      (await client.query<{ there: boolean }>(`select to_regclass('storage_totals') is not null as there`)).rows[0]
        ?.there ?? false;
    while (await there()) await revertLast(old.ownerUrl);
    tenantId = await new Factories(client).tenant();
    for (const bytes of [1, 20, 300]) await addFile((text, params) => client.query(text, params), bytes);
    await migrate(old);
    const { rows } = await client.query<object>('select tenant_id, bytes::int from storage_totals');
    expect([rows, await storageDifferences(client)]).toEqual([[{ tenant_id: tenantId, bytes: 321 }], []]);
    await client.end();
    await old.drop();
  });
});
