import { Client } from 'pg';
import { newId } from '../../src/common/ids';
import { migrate, revertLast } from '../../src/platform/database/migrate';
import { freshDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/wait';

/** Of the migrations that make indexes while others write. */
const MADE_ASIDE = ['customers_tags_idx', 'messages_by_session_direction', 'messages_by_session_status'];

let db: TestDatabase;
let owner: Client;

beforeEach(async () => {
  db = await freshDatabase();
  owner = await db.owner();
});

afterEach(async () => {
  await owner.end();
  await db.drop();
});

/** Which of them are there and may be used, with what they are of. */
async function usable(): Promise<string[]> {
  const { rows } = await owner.query<{ definition: string }>(
    `select pg_get_indexdef(indexrelid) as definition from pg_index i join pg_class c on c.oid = i.indexrelid
      where c.relname = any ($1) and i.indisvalid and i.indisready order by c.relname`,
    [MADE_ASIDE],
  );
  return rows.map(({ definition }) => definition);
}

async function revertAll(): Promise<void> {
  const left = () => owner.query('select from pg_class where relname = any ($1)', [MADE_ASIDE]);
  while ((await left()).rowCount !== 0) await revertLast(db.ownerUrl);
}

describe('while a version replaces the one before', () => {
  it('indexes are made beside those who write, whoever else waits to migrate', async () => {
    const made = await usable();
    await revertAll();
    const writer = await db.owner();
    await writer.query('begin');
    await writer.query('lock table messages, customers in row exclusive mode');
    const upgrades = [migrate(db), migrate(db)];
    const waits = async () =>
      (
        await owner.query(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
            and query like 'create index concurrently%'`,
        )
      ).rowCount;
    await eventually(waits, { what: 'an index to wait for who writes' });
    await owner.query('begin');
    await owner.query(`set local lock_timeout = '2s'`);
    await owner.query('lock table messages, customers in row exclusive mode');
    await owner.query('commit');
    await writer.query('commit');
    await writer.end();
    await Promise.all(upgrades);
    expect(made).toHaveLength(MADE_ASIDE.length);
    expect(await usable()).toEqual(made);
  });

  it('what an upgrade that died left of an index is made anew', async () => {
    const made = await usable();
    await revertAll();
    for (const [name, table] of [
      ['customers_tags_idx', 'customers'],
      ['messages_by_session_direction', 'messages'],
      ['messages_by_session_status', 'messages'],
    ] as const) {
      await owner.query(`create index ${name} on ${table} (tenant_id)`);
      await owner.query('update pg_index set indisvalid = false where indexrelid = $1::regclass', [name]);
    }
    await migrate(db);
    expect(await usable()).toEqual(made);
  });

  it.each([
    ['products_like($1::text[], 7)', ['%dayt%', '%rol%']],
    ['products_like($1::text)', '%dayt%'],
  ])('the one before searches products as it did, by %s', async (search, patterns) => {
    const tenantId = newId();
    await owner.query(`insert into tenants (id, slug, name) values ($1::uuid, $1::text, 'Shop')`, [tenantId]);
    await owner.query(
      `insert into products (tenant_id, id, name, brand, price) values ($1, 'a', 'Daytona', 'Rolex', 1), ($1, 'b', 'Tank', 'Rolex', 1)`,
      [tenantId],
    );
    const app = new Client({ connectionString: db.roleUrl('app') });
    await app.connect();
    await app.query(`select set_config('app.tenant_id', $1, false)`, [tenantId]);
    const { rows } = await app.query<{ id: string }>(`select id from ${search}`, [patterns]);
    await app.end();
    expect(rows).toEqual([{ id: 'a' }]);
  });

  it('the one before may start again, and leaves what it does not know as it is', async () => {
    const policies = () => owner.query<object>('select oid, polname from pg_policy order by 1');
    await owner.query(`insert into migrations (timestamp, name) values (9999999999999, 'Newer9999999999999')`);
    // As a later version may: nobody asks for it any more, and to grant it would fail.
    await owner.query('drop function products_like(text)');
    await owner.query('create table newer (tenant_id uuid not null, id uuid not null, primary key (tenant_id, id))');
    const before = (await policies()).rows;
    const lines: string[] = [];
    await migrate({ ...db, log: (line) => lines.push(line) });
    expect(lines).toEqual(['not migrated: the database is of a newer version']);
    expect((await policies()).rows).toEqual(before);
  });
});
