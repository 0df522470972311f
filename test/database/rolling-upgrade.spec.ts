import { Client } from 'pg';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { newId } from '../../src/common/ids';
import { migrate, migrationSource, revertLast } from '../../src/platform/database/migrate';
import { freshDatabase, type TestDatabase } from '../support/database';
import { Factories } from '../support/factories';
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

/** The first of those that each lock one table. */
const ONE_TABLE_EACH = 1790005100000;

/** Tables that were there before and whose writers this transaction holds up. */
const HELD_UP = `select distinct relation::regclass::text as name from pg_locks l join pg_class c on c.oid = l.relation
  where l.pid = pg_backend_pid() and c.relkind in ('r', 'p') and c.relname = any ($1)
    and l.mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock') order by 1`;

async function revertTo(stamp: number): Promise<void> {
  const newest = async () =>
    Number((await owner.query<{ newest: string }>('select max(timestamp) as newest from migrations')).rows[0]?.newest);
  while ((await newest()) >= stamp) await revertLast(db.ownerUrl);
}

const stampOf = ({ constructor: { name } }: object): number => Number(name.slice(-13));

/** Takes those from this one on back, and gives them in their order, with what they may run by. */
async function oneByOne(
  stamp: number,
): Promise<{ source: DataSource; runner: QueryRunner; migrations: MigrationInterface[] }> {
  await revertTo(stamp);
  const source = await migrationSource(db.ownerUrl).initialize();
  const migrations = source.migrations.filter((each) => stampOf(each) >= stamp);
  return {
    source,
    runner: source.createQueryRunner(),
    migrations: migrations.sort((a, b) => stampOf(a) - stampOf(b)),
  };
}

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

  it('each migration holds up those who write to one table, on the way up and down', async () => {
    const { source, runner, migrations } = await oneByOne(ONE_TABLE_EACH);
    const heldUp = async (work: () => Promise<void>): Promise<string[]> => {
      const tables = `select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')`;
      const before = (await owner.query<{ relname: string }>(tables)).rows.map(({ relname }) => relname);
      await runner.startTransaction();
      await work();
      const rows = (await runner.query(HELD_UP, [before])) as { name: string }[];
      await runner.commitTransaction();
      return rows.map(({ name }) => name);
    };
    const held: Record<string, string[]> = {};
    for (const each of migrations) held[`up ${stampOf(each)}`] = await heldUp(() => each.up(runner));
    for (const each of [...migrations].reverse()) held[`down ${stampOf(each)}`] = await heldUp(() => each.down(runner));
    await source.destroy();
    expect(migrations.length).toBeGreaterThan(4);
    expect(Object.entries(held).filter(([, tables]) => tables.length > 1)).toEqual([]);
    expect(held['up 1790005130000']).toEqual(['lanes']);
  });

  it('a lane knows its server, after whichever migration the one before has moved its session', async () => {
    const make = new Factories(owner);
    const session = await make.session(await make.tenant());
    const { source, runner, migrations } = await oneByOne(ONE_TABLE_EACH);
    const lane = async () => {
      const { rows } = await owner.query<{ at: string; is_at: string }>(
        `select l.server_id as at, s.server_id as is_at from lanes l join sessions s on s.id = l.session_id where s.id = $1`,
        [session.id],
      );
      return rows[0];
    };
    for (let moved = 0; moved < migrations.length; moved += 1) {
      for (const [n, each] of migrations.entries()) {
        await runner.startTransaction();
        await each.up(runner);
        await runner.commitTransaction();
        if (n !== moved) continue;
        const id = newId();
        await owner.query(`insert into waha_servers (id, base_url) values ($1::uuid, 'http://' || $1::text)`, [id]);
        await owner.query('update sessions set server_id = $1', [id]);
      }
      const { at, is_at: isAt } = (await lane()) ?? {};
      expect([moved, at]).toEqual([moved, isAt]);
      for (const each of [...migrations].reverse()) await each.down(runner);
    }
    await source.destroy();
  });

  it.each([
    ['lanes', 'sessions'],
    ['sessions', 'lanes'],
  ])('who has written to %s may write to %s', async (first, second) => {
    await revertTo(ONE_TABLE_EACH);
    const writer = await db.owner();
    await writer.query('begin');
    await writer.query(`lock table ${first} in row exclusive mode`);
    const upgrade = migrate(db);
    const waits = async () =>
      (
        await owner.query(
          `select from pg_locks where not granted and relation = $1::regclass
            and database = (select oid from pg_database where datname = current_database())`,
          [first],
        )
      ).rowCount;
    await eventually(waits, { what: 'the migration to wait for who writes' });
    await writer.query(`set local lock_timeout = '2s'`);
    await writer.query(`lock table ${second} in row exclusive mode`);
    await writer.query('commit');
    await writer.end();
    await upgrade;
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
