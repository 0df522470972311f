import type { Client } from 'pg';
import { GRANTS, PLATFORM_TABLES } from '../../src/platform/database/grants';
import { raiseTenantWall } from '../../src/platform/database/tenant-wall';
import { freshDatabase, type TestDatabase } from '../support/database';
import { OTHER_INDEXES, schemaFaults } from '../support/schema-check';

let db: TestDatabase;
let owner: Client;

beforeAll(async () => {
  db = await freshDatabase();
  owner = await db.owner();
});

afterAll(async () => {
  await owner.end();
  await db.drop();
});

/** The faults that the statements bring; afterwards all is as it was. */
async function faultsAfter(...statements: string[]): Promise<string[]> {
  await owner.query('begin');
  try {
    for (const statement of statements) await owner.query(statement);
    return await schemaFaults(owner, db.rolePrefix);
  } finally {
    await owner.query('rollback');
  }
}

const GOOD = `create table goods (tenant_id uuid not null references tenants (id), id uuid not null,
  constraint goods_pk primary key (tenant_id, id))`;
/** The wall as a migration raises it, without its own transactions. */
const WALL = ['goods'].flatMap((table) => [
  `alter table ${table} enable row level security, force row level security`,
  ...(['app', 'batch', 'system'] as const).map(
    (kind) => `do $$ declare rule text; begin
      select pg_get_expr(polqual, polrelid) into rule from pg_policy
        where polrelid = 'messages'::regclass and polname = 'wall_${kind}';
      execute format('create policy wall_${kind} on ${table} to PREFIX_${kind} using (%s) with check (%s)', rule, rule);
    end $$`,
  ),
]);
const wall = () => WALL.map((statement) => statement.replaceAll('PREFIX', db.rolePrefix));

describe('the tables of the migrations', () => {
  it('stand behind the wall, all of them', async () => {
    expect(await schemaFaults(owner, db.rolePrefix)).toEqual([]);
  });

  it('are all named rightly where the wall names tables', async () => {
    const { rows } = await owner.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'`,
    );
    const tables = new Set(rows.map(({ name }) => name));
    expect(PLATFORM_TABLES.filter((name) => !tables.has(name))).toEqual([]);
    expect([...tables].some((name) => GRANTS.system(name).length > 0)).toBe(true);
    for (const why of Object.values(OTHER_INDEXES)) expect(why.length).toBeGreaterThan(8);
  });
});

describe('the check', () => {
  it('finds nothing wrong with a good table', async () => {
    expect(await faultsAfter(GOOD, ...wall())).toEqual([]);
  });

  it.each<[string, string[], string]>([
    [
      'a table without a tenant',
      ['create table bad (id uuid primary key)'],
      'bad: has no tenant_id, not in PLATFORM_TABLES',
    ],
    ['a table without a wall', [GOOD], 'goods: row security is not enabled and forced'],
    ['a table without policies', [GOOD], 'goods: has not exactly its one policy for the role app'],
    [
      'a wall that is not forced',
      ['alter table messages no force row level security'],
      'messages: row security is not enabled',
    ],
    ['a wall that is off', ['alter table users disable row level security'], 'users: row security is not enabled'],
    [
      'a policy that is gone',
      ['drop policy wall_batch on lanes'],
      'lanes: has not exactly its one policy for the role batch',
    ],
    [
      'a policy more',
      ['create policy more on lanes to PREFIX_app using (true)'],
      'lanes: has not exactly its one policy for the role app',
    ],
    ['a policy for everybody', ['create policy more on lanes using (true)'], 'lanes: has a policy for everybody'],
    [
      'a policy that lets all through',
      ['alter policy wall_app on lanes using (true)'],
      'lanes: has not exactly its one policy for the role app',
    ],
    [
      'a policy that checks no writes',
      ['alter policy wall_app on lanes with check (true)'],
      'lanes: has not exactly its one policy for the role app',
    ],
    [
      'a primary key of the id alone',
      ['create table bad (tenant_id uuid not null, id uuid primary key)'],
      'bad: primary key does not begin with tenant_id',
    ],
    [
      'a table without a key',
      ['create table bad (tenant_id uuid not null)'],
      'bad: primary key does not begin with tenant_id',
    ],
    [
      'a tenant that may be null',
      ['alter table webhook_events drop constraint webhook_events_pk, alter column tenant_id drop not null'],
      'webhook_events: tenant_id is not uuid not null',
    ],
    ['a tenant that is text', ['create table bad (tenant_id text primary key)'], 'bad: tenant_id is not uuid not null'],
    [
      'an index that begins elsewhere',
      ['create index bad_index on messages (chat)'],
      'messages: index bad_index does not begin with tenant_id',
    ],
    [
      'an index of an expression',
      ['create index bad_index on messages (lower(body), tenant_id)'],
      'messages: index bad_index does not begin',
    ],
    [
      'a foreign key without the tenant',
      [
        'alter table sessions add unique (id)',
        'alter table message_events add constraint bad_fk foreign key (message_id) references sessions (id)',
      ],
      'message_events: foreign key bad_fk does not begin with tenant_id',
    ],
    ['an enum', [`create type mood as enum ('good', 'bad')`], 'type mood: is a PostgreSQL enum'],
    [
      'a view of the owner',
      ['create view peep as select * from messages'],
      'view peep: is read with the rights of its owner',
    ],
    [
      'a materialised view',
      ['create materialized view heap as select * from messages'],
      'heap: row security is not enabled and forced',
    ],
    [
      'a function of the owner',
      [`create function peep() returns bigint language sql security definer as 'select count(*) from messages'`],
      'function peep: runs with the rights of its owner',
    ],
    ['rights for everybody', ['grant select on messages to public'], 'messages: everybody (PUBLIC) has rights on it'],
    [
      'a list that names what is gone',
      ['drop index lanes_owned'],
      'lanes_owned: is on the list of other indexes and does not exist',
    ],
  ])('finds %s', async (_what, statements, fault) => {
    const faults = await faultsAfter(...statements.map((text) => text.replaceAll('PREFIX', db.rolePrefix)));
    expect(faults.filter((each) => each.startsWith(fault))).toHaveLength(1);
  });

  it('takes a view that is read with the rights of whoever asks', async () => {
    expect(await faultsAfter('create view fine with (security_invoker=true) as select * from messages')).toEqual([]);
  });
});

describe('raising the wall', () => {
  it('stops at a table that is neither a tenant’s nor the platform’s, and names it', async () => {
    await owner.query('create table stray (id uuid primary key)');
    await expect(raiseTenantWall(owner, db.rolePrefix)).rejects.toThrow('Table stray has no tenant_id');
    await owner.query('drop table stray');
  });

  it('covers a table of a later migration, and mends what was torn down', async () => {
    await owner.query(GOOD);
    await owner.query('alter table lanes no force row level security');
    await owner.query('drop policy wall_app on users');
    await owner.query('create policy wall_more on messages using (true)');
    await raiseTenantWall(owner, db.rolePrefix);
    const faults = await schemaFaults(owner, db.rolePrefix);
    await owner.query('drop table goods');
    expect(faults).toEqual([]);
  });
});
