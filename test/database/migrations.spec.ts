import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { validate, version } from 'uuid';
import { newId } from '../../src/common/ids';
import { isMigrated, migrate, revertLast } from '../../src/platform/database/migrate';
import { STATS_STATEMENTS } from '../../src/platform/database/stats-statements';
import { Factories, type TestSession } from '../support/factories';
import { TEST_ROLE_PASSWORD, TEST_ROLE_PREFIX } from '../support/run';
import { schemaFaults } from '../support/schema-check';
import { differences, manyMessages } from './message-stats.harness';

/** Everything of the catalogue that a migration may make, in words that know no oids. */
const DUMP = `
  with own as (select * from pg_class where relnamespace in ('public'::regnamespace, (select oid from pg_namespace
    where nspname = 'pgboss')) and relname <> 'migrations' and relname not like 'migrations\\_%')
  select 'relation' as kind, concat_ws(' ', relname, relkind, relrowsecurity, relforcerowsecurity, reloptions::text,
      (select string_agg(a::text, ' ' order by a::text) from unnest(relacl) a)) as what from own
  union all select 'column', concat_ws(' ', c.relname, a.attname, a.attnum, format_type(atttypid, atttypmod), attnotnull,
      attidentity, pg_get_expr(d.adbin, d.adrelid))
    from own c join pg_attribute a on a.attrelid = c.oid and attnum > 0
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
  union all select 'constraint', concat_ws(' ', c.relname, conname, pg_get_constraintdef(k.oid))
    from own c join pg_constraint k on k.conrelid = c.oid
  union all select 'index', pg_get_indexdef(c.oid) from own c where relkind = 'i'
  union all select 'policy', concat_ws(' ', c.relname, polname, pg_get_expr(polqual, c.oid), pg_get_expr(polwithcheck, c.oid),
      obj_description(p.oid, 'pg_policy'), (select string_agg(rolname, ' ' order by rolname) from pg_roles
        where oid = any (polroles)))
    from own c join pg_policy p on p.polrelid = c.oid
  union all select 'type', concat_ws(' ', typname, typtype) from pg_type where typnamespace = 'public'::regnamespace
  union all select 'function', concat_ws(' ', proname, prosrc) from pg_proc where pronamespace = 'public'::regnamespace
  order by 1, 2`;

const server = process.env.TEST_POSTGRES_URL ?? '';
const made: string[] = [];

/** The address of an empty database. */
async function emptyDatabase(): Promise<string> {
  const name = `fresh_${process.env.JEST_WORKER_ID}_${randomBytes(4).toString('hex')}`;
  await on(server, (client) => client.query(`create database "${name}"`));
  made.push(name);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

async function on<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** A session and its lane, by columns that they have had from the beginning. */
async function oldSession(client: Client): Promise<TestSession & { serverId: string }> {
  const tenantId = await new Factories(client).tenant();
  const [id, serverId] = [newId(), newId()];
  await client.query(`insert into waha_servers (id, base_url) values ($1, 'http://old.invalid')`, [serverId]);
  await client.query(
    `insert into sessions (tenant_id, id, server_id, name, waha_name, webhook_secret) values ($1, $2, $3, 'old', 'old', 'x')`,
    [tenantId, id, serverId],
  );
  await client.query(
    `insert into lanes (tenant_id, session_id, per_minute, burst, jitter_ms, tokens) values ($1, $2, 20, 5, 0, 5)`,
    [tenantId, id],
  );
  return { tenantId, id, wahaName: 'old', secret: 'x', serverId };
}

const dump = (url: string) => on(url, async (client) => (await client.query<Record<string, string>>(DUMP)).rows);
const up = (ownerUrl: string) => migrate({ ownerUrl, rolePrefix: TEST_ROLE_PREFIX, appPassword: TEST_ROLE_PASSWORD });
const columnsOf = (url: string, table: string) =>
  on(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      'select column_name as name from information_schema.columns where table_name = $1',
      [table],
    );
    return rows.map(({ name }) => name);
  });
const tablesOf = (url: string) =>
  on(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1`,
    );
    return rows.map(({ name }) => name);
  });

/** The fold sorts by the bounds that the figures were counted by: taking all messages away leaves nothing of them. */
async function takeAway(client: Client): Promise<void> {
  await client.query('delete from messages');
  await client.query(STATS_STATEMENTS.foldStats.text, [5_000]);
  await client.query(STATS_STATEMENTS.rollUpStats.text, [5_000, 0]);
  const left =
    await client.query(`select from message_stats where counts <> '{}' union all select from message_stats_recent
    union all select from message_stat_deltas`);
  expect(left.rowCount).toBe(0);
}

afterAll(() =>
  on(server, async (client) => {
    for (const name of made) await client.query(`drop database "${name}" with (force)`);
  }),
);

describe('the migrations', () => {
  it('go up, down and up again to the same schema', async () => {
    const url = await emptyDatabase();
    await up(url);
    const first = await dump(url);
    expect(first.length).toBeGreaterThan(150);
    const count = await on(url, async (client) => (await client.query('select from migrations')).rowCount ?? 0);
    for (let i = 0; i < count; i += 1) await revertLast(url);
    expect(await tablesOf(url)).toEqual(['migrations']);
    await up(url);
    expect(await dump(url)).toEqual(first);
  });

  it('change nothing when they run again', async () => {
    const url = await emptyDatabase();
    await up(url);
    const before = await on(url, (client) => client.query(`select max(oid::text) from pg_policy`));
    await up(url);
    const after = await on(url, (client) => client.query(`select max(oid::text) from pg_policy`));
    expect(after.rows).toEqual(before.rows);
  });

  it('run by two at once on an empty database both succeed, and the wall stands', async () => {
    const url = await emptyDatabase();
    await Promise.all([up(url), up(url)]);
    expect(await on(url, (client) => schemaFaults(client, TEST_ROLE_PREFIX))).toEqual([]);
    const stamps = await on(url, (client) => client.query<{ n: number }>('select count(*)::int as n from migrations'));
    expect(stamps.rows[0]?.n).toBeGreaterThan(1);
  });

  it('give the events that are there ids of the time at which they came', async () => {
    const url = await emptyDatabase();
    await up(url);
    // Everything from the one on that brought the ids.
    while ((await columnsOf(url, 'webhook_events')).includes('id')) await revertLast(url);
    await on(url, async (client) => {
      const { tenantId, id } = await oldSession(client);
      await client.query(
        `insert into webhook_events (tenant_id, session_id, event, event_id, body, received_at)
          select $1, $2, 'message', n::text, '{}', timestamptz '2026-11-01 12:00:00.123Z' + n * interval '1 day'
          from generate_series(0, 3) n`,
        [tenantId, id],
      );
    });
    await up(url);
    const { rows } = await on(url, (client) =>
      client.query<{ id: string; received_at: Date }>('select id, received_at from webhook_events order by id'),
    );
    expect(rows.map(({ id }) => [validate(id), version(id)])).toEqual(Array(4).fill([true, 7]));
    const times = rows.map(({ id }) => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16));
    expect(times).toEqual(rows.map(({ received_at: time }) => time.getTime()));
    expect(times[0]).toBe(Date.parse('2026-11-01T12:00:00.123Z'));
  });

  it('say of the lanes that are there on which server they are', async () => {
    const url = await emptyDatabase();
    await up(url);
    const knows = async () => (await columnsOf(url, 'lanes')).includes('server_id');
    while (await knows()) await revertLast(url);
    const { id, serverId } = await on(url, oldSession);
    // The wall stands when they are filled in, by the owner.
    const forced = `select from pg_class c join pg_policy p on p.polrelid = c.oid where relforcerowsecurity
      and relname in ('lanes', 'sessions') and polname = 'wall_owner'`;
    expect(await on(url, async (client) => (await client.query(forced)).rowCount)).toBe(2);
    await up(url);
    const there = () =>
      on(url, async (client) => {
        const text = 'select session_id, server_id from lanes order by session_id';
        return (await client.query<Record<string, string>>(text)).rows;
      });
    expect(await there()).toEqual([{ session_id: id, server_id: serverId }]);
    // A replica of the version before moves it, and makes another.
    const [other, made] = [newId(), newId()];
    await on(url, async (client) => {
      await client.query(`insert into waha_servers (id, base_url) values ($1, 'http://other.invalid')`, [other]);
      await client.query(`update sessions set server_id = $1`, [other]);
      await client.query(
        `with made as (
          insert into sessions (tenant_id, id, server_id, name, waha_name, webhook_secret)
          select tenant_id, $1, $2, 'made', 'made', 'x' from sessions returning tenant_id, id)
        insert into lanes (tenant_id, session_id, per_minute, burst, jitter_ms, tokens)
        select tenant_id, id, 20, 5, 0, 5 from made`,
        [made, serverId],
      );
    });
    expect(await there()).toEqual([
      { session_id: id, server_id: other },
      { session_id: made, server_id: serverId },
    ]);
  });

  it('count the messages that are there', async () => {
    const url = await emptyDatabase();
    await up(url);
    while ((await tablesOf(url)).includes('message_stats')) await revertLast(url);
    const tenantId = await on(url, async (client) => {
      const make = new Factories(client);
      const session = await oldSession(client);
      await manyMessages(client, session, { count: 500, hours: 40, senders: 2, times: 100 });
      await make.message(session, { direction: 'inbound', status: 'received' });
      await make.message(session, { created_by: newId(), source: 'app', status: 'sent', sent_at: new Date() });
      return session.tenantId;
    });
    await up(url);
    await on(url, async (client) => {
      expect((await client.query('select from message_stat_deltas')).rowCount).toBe(0);
      expect(await differences(client, tenantId)).toEqual([]);
      await takeAway(client);
    });
  });

  it('keep the figures on the way back and forth', async () => {
    const url = await emptyDatabase();
    await up(url);
    const tenantId = await on(url, async (client) => {
      const session = await new Factories(client).session(await new Factories(client).tenant());
      await manyMessages(client, session, { count: 500, hours: 40, senders: 2, times: 100 });
      await client.query(STATS_STATEMENTS.foldStats.text, [400]);
      await client.query(STATS_STATEMENTS.rollUpStats.text, [100, 0]);
      return session.tenantId;
    });
    while ((await tablesOf(url)).includes('message_stats_recent')) await revertLast(url);
    await on(url, async (client) => {
      const { rows } = await client.query<{ n: string }>('select sum(n) as n from message_stat_deltas');
      expect([Number(rows[0]?.n), (await client.query('select from message_stats')).rowCount]).toEqual([500, 0]);
    });
    await up(url);
    await on(url, async (client) => {
      expect(await differences(client, tenantId)).toEqual([]);
      await takeAway(client);
    });
  });

  it('make a database that knows whether it is of this version', async () => {
    const url = await emptyDatabase();
    await up(url);
    const asked = () =>
      on(url, (client) => isMigrated(async (text) => (await client.query<{ newest: string | null }>(text)).rows));
    expect(await asked()).toBe(true);
    await revertLast(url);
    expect(await asked()).toBe(false);
  });
});
