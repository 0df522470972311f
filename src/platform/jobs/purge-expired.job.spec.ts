import { randomBytes } from 'node:crypto';
import type { Client } from 'pg';
import { type TestDatabase, workerDatabase } from '../../../test/support/database';
import { Factories } from '../../../test/support/factories';
import { newId } from '../../common/ids';
import { DatabaseConnections } from '../database/database-connections';
import { SystemDatabase } from '../database/system-database';
import { PurgeExpiredJob } from './purge-expired.job';

describe('PurgeExpiredJob', () => {
  const tenant = newId();
  const user = newId();
  let session: string;
  let database: TestDatabase;
  let owner: Client;
  let connections: DatabaseConnections;

  beforeAll(async () => {
    database = await workerDatabase();
    owner = await database.owner();
    connections = new DatabaseConnections(database, { DATABASE_POOL_MAX: 1 }, []);
    await owner.query(`insert into tenants (id, slug, name) values ($1, 'purge', 'P')`, [tenant]);
    session = (await new Factories(owner).session(tenant)).id;
    await owner.query(
      `insert into users (tenant_id, id, email, name, role, password_hash) values ($1, $2, 'a@b.example', 'A', 'AGENT', 'x')`,
      [tenant, user],
    );
  });

  afterAll(async () => {
    await connections.onApplicationShutdown();
    await owner.end();
  });

  const insertKeys = (count: number, age: string) =>
    owner.query(
      `insert into idempotency_keys (tenant_id, actor_id, route, key, fingerprint, resource_id, state, lease_until, created_at)
       select $1, $2, 'POST /x', $3 || n, 'f', $2, 'done', now() - $3::interval, now() - $3::interval
       from generate_series(1, $4::int) n`,
      [tenant, user, age, count],
    );

  const insertLogin = (age: string) =>
    owner.query(
      `insert into logins (tenant_id, id, user_id, seed, expires_at) values ($1, $2, $3, $4, now() - $5::interval)`,
      [tenant, newId(), user, Buffer.alloc(32), age],
    );

  const insertFailure = (age: string) =>
    owner.query(
      `insert into login_failures (account, failed_at, last_at)
       values ($1, array[now() - $2::interval], now() - $2::interval)`,
      [randomBytes(32), age],
    );

  const insertEvent = async (status: string, age: string, seen: string | null = null) => {
    const { rows } = await owner.query<{ id: string }>(
      `insert into webhook_events (tenant_id, session_id, event, event_id, body, status, received_at, seen_at)
        values ($1, $2, 'message', $3, '{}', $4, now() - $5::interval, now() - $6::interval) returning id`,
      [tenant, session, newId(), status, age, seen],
    );
    return rows[0]?.id;
  };

  const count = async (table: string): Promise<number> =>
    (await owner.query<{ n: number }>(`select count(*)::int as n from ${table}`)).rows[0]?.n ?? -1;

  it('removes what has outlived its retention, in batches, and nothing else', async () => {
    await insertKeys(4_500, '25 hours');
    await insertKeys(3, '23 hours');
    for (const age of ['31 days', '29 days', '-1 days']) await insertLogin(age);
    for (const age of ['61 minutes', '59 minutes']) await insertFailure(age);
    const job = new PurgeExpiredJob(new SystemDatabase(connections));
    await job.run(new AbortController().signal);
    expect([await count('idempotency_keys'), await count('logins'), await count('login_failures')]).toEqual([3, 2, 1]);
    await job.run(new AbortController().signal);
    expect([await count('idempotency_keys'), await count('logins')]).toEqual([3, 2]);
  });

  it('keeps events that failed until somebody looked, for 90 days at most; others for 14', async () => {
    const kept = [
      await insertEvent('failed', '89 days'),
      await insertEvent('failed', '89 days', '13 days'),
      await insertEvent('ignored', '13 days'),
      await insertEvent('pending', '91 days'),
    ];
    await insertEvent('failed', '91 days');
    await insertEvent('failed', '16 days', '15 days');
    for (const status of ['applied', 'ignored']) await insertEvent(status, '15 days');
    await new PurgeExpiredJob(new SystemDatabase(connections)).run(new AbortController().signal);
    const { rows } = await owner.query<{ id: string }>('select id from webhook_events order by id');
    expect(rows.map(({ id }) => id)).toEqual([...kept].sort());
  });

  it('stops when it is asked to', async () => {
    await insertKeys(1, '26 hours');
    const before = await count('idempotency_keys');
    await new PurgeExpiredJob(new SystemDatabase(connections)).run(AbortSignal.abort());
    expect(await count('idempotency_keys')).toBe(before);
  });
});
