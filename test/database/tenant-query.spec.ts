import type { Client } from 'pg';
import { newId } from '../../src/common/ids';
import { SYSTEM_STATEMENTS } from '../../src/platform/database/system-statements';
import { workerDatabase, type TestDatabase } from '../support/database';
import { type Doors, openDoors } from './database.harness';

let db: TestDatabase;
let owner: Client;
let doors: Doors;
const tenant = newId();

beforeAll(async () => {
  db = await workerDatabase();
  owner = await db.owner();
  doors = await openDoors(db, 1);
});

afterAll(async () => {
  await doors.close();
  await owner.end();
});

const ask = <R>(text: string, params: unknown[] = []) => doors.tenant.query<R>(tenant, text, params);
const pidOf = async () => (await ask<{ pid: number }>('select pg_backend_pid() as pid'))[0]?.pid;

describe('a tenant statement', () => {
  it('that fails leaves its connection usable, and what was queued behind it goes on', async () => {
    const before = await pidOf();
    const results = await Promise.allSettled([
      ask('select 1 as one'),
      ask('select 1 / $1::int', [0]),
      ask('select 2 as two'),
      ask('select * from no_such_table'),
      ask('this is no SQL'),
      ask(`select 'x'::uuid`),
      ask('select 3 as three'),
    ]);
    expect(results.map(({ status }) => status === 'fulfilled')).toEqual([true, false, true, false, false, false, true]);
    expect(await pidOf()).toBe(before);
  });

  it('whose text is bad on its first use can be right on a later one', async () => {
    const text = 'select id from made_later where id = $1';
    await expect(ask(text, [1])).rejects.toThrow('does not exist');
    await expect(ask(text, [1])).rejects.toThrow('does not exist');
    await owner.query('create table made_later (id int)');
    await owner.query('insert into made_later values (1)');
    await owner.query(`grant select on made_later to ${db.rolePrefix}_app`);
    expect(await ask(text, [1])).toEqual([{ id: 1 }]);
    expect(await ask(text, [2])).toEqual([]);
    await owner.query('drop table made_later');
    await expect(ask(text, [1])).rejects.toThrow('does not exist');
    expect(await ask('select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('is refused with a wrong number of parameters, and the next one works', async () => {
    await expect(ask('select $1::int', [])).rejects.toThrow('bind message supplies 0 parameters');
    await expect(ask('select $1::int', [1, 2])).rejects.toThrow('bind message supplies 2 parameters');
    expect(await ask('select $1::int as one', [1])).toEqual([{ one: 1 }]);
  });

  it('whose parameter cannot be sent fails alone', async () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    await expect(ask('select $1::jsonb as j', [circle])).rejects.toThrow(/circular/i);
    expect(await ask('select $1::jsonb as j', [{ a: 1 }])).toEqual([{ j: { a: 1 } }]);
    await expect(ask('select $1::text as t', ['a\0b'])).rejects.toThrow('invalid byte sequence');
    expect(await ask('select $1::text as t', ['ab'])).toEqual([{ t: 'ab' }]);
  });

  it.each<[string, unknown]>([
    ['text', 'It\'s; -- \\ $1 "x" é 👩‍👩‍👧 שלום\r\n\t'],
    ['text', ''],
    ['text', null],
    ['int', -2147483648],
    ['bigint', '9223372036854775807'],
    ['double precision', 0.1],
    ['numeric', '12345678901234567890.123456789'],
    ['boolean', false],
    ['uuid', '01890000-0000-7000-8000-000000000001'],
    ['timestamptz', new Date('2026-02-28T23:59:59.999Z')],
    ['bytea', Buffer.from([0, 1, 255, 92])],
    ['jsonb', { a: [1, null, 'x"\\'], b: { c: '👍' } }],
    ['text[]', ['a', null, 'b,c', '"', '{}', '']],
    ['int[]', [1, -1, 0]],
    ['uuid[]', []],
  ])('carries a parameter of type %s there and back: %p', async (type, value) => {
    expect(await ask(`select $1::${type} as it`, [value])).toEqual([{ it: value }]);
    expect(await doors.tenant.transaction(tenant, (tx) => tx.query(`select $1::${type} as it`, [value]))).toEqual([
      { it: value },
    ]);
  });

  it('answers no rows, many rows and wide rows', async () => {
    expect(await ask('select 1 where false')).toEqual([]);
    expect(await ask('select generate_series(1, $1::int) as n', [20_000])).toHaveLength(20_000);
    const [row] = await ask<{ t: string }>(`select repeat('x', $1::int) as t`, [5_000_000]);
    expect(row?.t).toHaveLength(5_000_000);
  });

  it('is prepared under a name, and the names end at 500', async () => {
    await ask('select 41 as n');
    await ask('select 41 as n');
    const named = async () =>
      (await ask<{ n: number }>('select count(*)::int as n from pg_prepared_statements'))[0]?.n ?? 0;
    const generic = await ask(`select name from pg_prepared_statements where statement = 'select 41 as n'`);
    expect(generic).toHaveLength(1);
    for (let i = 0; i < 700; i += 1) expect(await ask(`select ${i} as n`)).toEqual([{ n: i }]);
    expect(await named()).toBeLessThanOrEqual(501);
  });

  it('goes on when the server ended its connection, on a new one', async () => {
    const pid = await pidOf();
    const cut = expect(ask('select pg_sleep(30)')).rejects.toThrow(/terminat/i);
    await owner.query('select pg_terminate_backend($1)', [pid]);
    await cut;
    expect(await pidOf()).not.toBe(pid);
    expect(doors.connections.app.totalCount).toBe(1);
  });

  it('is rejected when its connection breaks without a word, and the process lives on', async () => {
    const pid = await pidOf();
    const acquired = new Promise<Breakable>((resolve) => {
      doors.connections.app.once('acquire', (client) => resolve(client as unknown as Breakable));
    });
    const cut = expect(ask('select pg_sleep(30)')).rejects.toThrow('Connection terminated unexpectedly');
    (await acquired).connection.stream.destroy();
    await cut;
    expect(await pidOf()).not.toBe(pid);
  });
});

/** The socket of a client of pg, which its types do not show. */
interface Breakable {
  connection: { stream: { destroy(): void } };
}

describe('a tenant transaction', () => {
  it('is rolled back as a whole when a statement fails, and its connection goes on', async () => {
    const before = await pidOf();
    await owner.query('create table kept (n int)');
    await owner.query(`grant select, insert on kept to ${db.rolePrefix}_app`);
    const work = doors.tenant.transaction(tenant, async (tx) => {
      await tx.query('insert into kept values (1)');
      await tx.query('select 1 / $1::int', [0]);
    });
    await expect(work).rejects.toThrow('division by zero');
    expect(await ask('select * from kept')).toEqual([]);
    await doors.tenant.transaction(tenant, (tx) => tx.query('insert into kept values ($1)', [2]));
    expect(await ask('select * from kept')).toEqual([{ n: 2 }]);
    expect(await pidOf()).toBe(before);
    await owner.query('drop table kept');
  });
});

describe('the statements of the role system', () => {
  it('say why they cross tenants, and every one is right for the present schema', async () => {
    for (const [name, { reason, text }] of Object.entries(SYSTEM_STATEMENTS)) {
      expect([name, reason.length > 15]).toEqual([name, true]);
      const client = await doors.connections.system.connect();
      try {
        // LOCK is nothing that PREPARE takes: it is done, and its transaction ends with it.
        const checked = text.startsWith('lock ') ? `begin; ${text}; rollback` : `prepare checked as ${text}`;
        await client.query(checked);
        await client.query('deallocate all');
      } finally {
        client.release();
      }
    }
  });
});

describe('a statement beyond the last name', () => {
  it('has its tenant in a transaction, too, and from its first statement on', async () => {
    for (let n = 0; n < 501; n += 1) await ask(`select ${n} as beyond`);
    const text = `select current_setting('app.tenant_id') as tenant, 'no name is left' as why`;
    expect(await doors.tenant.transaction(tenant, (tx) => tx.query(text))).toEqual([
      { tenant, why: 'no name is left' },
    ]);
  });
});

describe('a snapshot', () => {
  it('sees one moment and its tenant, and leaves nothing of either behind', async () => {
    await owner.query('create table made_now (n int)');
    await owner.query('insert into made_now values (1)');
    await owner.query(`grant select on made_now to ${db.rolePrefix}_app`);
    const text = `select n, current_setting('app.tenant_id') as tenant from made_now`;
    const seen = await doors.tenant.snapshot(tenant, async (tx) => {
      const before = await tx.query(text);
      await owner.query('update made_now set n = 2');
      return [...before, ...(await tx.query(text))];
    });
    expect(seen).toEqual([
      { n: 1, tenant },
      { n: 1, tenant },
    ]);
    const later = await doors.tenant.transaction(tenant, async (tx) => {
      const before = await tx.query<{ n: number }>(text);
      await owner.query('update made_now set n = 3');
      return [...before, ...(await tx.query<{ n: number }>(text))];
    });
    expect(later.map(({ n }) => n)).toEqual([2, 3]);
    await owner.query('drop table made_now');
  });

  it('only reads', async () => {
    const write = doors.tenant.snapshot(tenant, (tx) => tx.query(`update products set name = ''`));
    await expect(write).rejects.toThrow('read-only transaction');
    expect(await doors.tenant.transaction(tenant, (tx) => tx.query(`update products set name = ''`))).toEqual([]);
  });
});
