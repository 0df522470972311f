import { Client } from 'pg';
import { freshDatabase, startOwnPostgres, workerDatabase } from './database';

describe('workerDatabase', () => {
  it('gives one database per spec file', async () => {
    const first = await workerDatabase();
    const client = await first.owner();
    await client.query('create table only_here (id int)');
    const { rows } = await client.query<{ name: string }>('select current_database() name');
    await client.end();
    expect(rows[0]?.name).toBe(first.name);
    expect(await workerDatabase()).toBe(first);
  });
});

describe('freshDatabase', () => {
  it('shares nothing with the spec file and goes with its connections', async () => {
    const fresh = await freshDatabase();
    const client = await fresh.owner();
    const cut = new Promise<Error>((resolve) => client.on('error', resolve));
    const { rows } = await client.query(`select to_regclass('only_here') found`);
    expect(rows).toEqual([{ found: null }]);
    await fresh.drop();
    expect((await cut).message).toMatch(/terminat/);
    await expect(fresh.owner()).rejects.toMatchObject({ code: '3D000' });
  });
});

describe('startOwnPostgres', () => {
  it('keeps what was committed through a crash, on the same address', async () => {
    const own = await startOwnPostgres();
    const work = async (sql: string) => {
      const client = new Client({ connectionString: own.url });
      await client.connect();
      try {
        return (await client.query<Record<string, unknown>>(sql)).rows;
      } finally {
        await client.end();
      }
    };
    await work('create table kept as select 1 as one');
    const before = own.pid();
    await own.restart('immediate');
    expect(own.pid()).not.toBe(before);
    expect(await work('select one from kept')).toEqual([{ one: 1 }]);
    await own.stop();
    await expect(work('select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
