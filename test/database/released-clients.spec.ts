import type { Client } from 'pg';
import { newId } from '../../src/common/ids';
import { workerDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/wait';
import { type Doors, openDoors } from './database.harness';

const QUERY_TIMEOUT_MS = 300;

let db: TestDatabase;
let owner: Client;
let doors: Doors;
const [tenant, other] = [newId(), newId()];

beforeAll(async () => {
  db = await workerDatabase();
  owner = await db.owner();
  await owner.query('create table kept (n int)');
  await owner.query(`grant select, insert on kept to ${db.rolePrefix}_app`);
  doors = await openDoors(db, 1);
  doors.connections.app.options.query_timeout = QUERY_TIMEOUT_MS;
  await owner.query('select pg_terminate_backend($1)', [await pidOf()]); // the one opened with the usual time-out
  await eventually(() => doors.connections.app.totalCount === 0);
});

afterAll(async () => {
  await doors.close();
  await owner.query('drop table kept');
  await owner.end();
});

interface State {
  pid: number;
  tenant: string;
  in_transaction: boolean;
}

/** What the next caller, of another tenant, finds on the connection that it is given. */
async function next(): Promise<State | undefined> {
  const [state] = await doors.tenant.query<State>(
    other,
    `select pg_backend_pid() as pid, current_setting('app.tenant_id') as tenant,
      pg_current_xact_id_if_assigned() is not null as in_transaction`,
  );
  return state;
}
const pidOf = async () => (await next())?.pid;

describe('a connection that is released', () => {
  it('while a statement of its transaction is unanswered goes to nobody else, and nothing of it stays', async () => {
    const before = await pidOf();
    const work = doors.tenant.transaction(tenant, async (tx) => {
      await tx.query('insert into kept values (1)');
      await tx.query('select pg_sleep(3)');
    });
    await expect(work).rejects.toThrow(/timeout/i);
    const found = await next();
    expect(found).toMatchObject({ tenant: other, in_transaction: false });
    expect(found?.pid).not.toBe(before);
    await eventually(
      async () => {
        const { rows } = await owner.query('select from pg_stat_activity where pid = $1', [before]);
        return rows.length === 0;
      },
      { what: 'the former connection to end' },
    );
    expect((await owner.query('select * from kept')).rows).toEqual([]);
    expect(doors.connections.app.totalCount).toBe(1);
  });

  it('with its statement unanswered goes to nobody else', async () => {
    const before = await pidOf();
    await expect(doors.tenant.query(tenant, 'select pg_sleep(3)')).rejects.toThrow(/timeout/i);
    const begun = performance.now();
    expect(await pidOf()).not.toBe(before);
    expect(performance.now() - begun).toBeLessThan(2_000);
  });

  it.each(['begin', 'begin; insert into kept values (2)', 'begin; select 1/0'])(
    'inside a transaction goes to nobody else: %s',
    async (text) => {
      const before = await pidOf();
      const client = await doors.connections.app.connect();
      await client.query(text).catch(() => undefined);
      client.release();
      const found = await next();
      expect(found).toMatchObject({ tenant: other, in_transaction: false });
      expect(found?.pid).not.toBe(before);
      expect((await owner.query('select * from kept')).rows).toEqual([]);
    },
  );

  it('clean is kept, also after statements that failed: their callers wait until the server is ready again', async () => {
    const before = await pidOf();
    await doors.tenant.transaction(tenant, (tx) => tx.query('select 1'));
    for (let i = 0; i < 50; i += 1) {
      await expect(doors.tenant.query(tenant, 'select 1/$1::int', [0])).rejects.toThrow('division by zero');
      await expect(doors.tenant.query(tenant, 'select nothing')).rejects.toThrow('does not exist');
    }
    expect(await pidOf()).toBe(before);
  });
});
