import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { newId } from '../../src/common/ids';
import { migrate, revertLast } from '../../src/platform/database/migrate';
import { freshDatabase } from '../support/database';
import { Factories } from '../support/factories';

describe('running totals, in a database whose owner row security holds back', () => {
  it('begin with what is there', async () => {
    const db = await freshDatabase();
    const server = await db.owner();
    const name = `owned_${randomBytes(4).toString('hex')}`;
    await server.query(`create role ${name} login nosuperuser nobypassrls createrole password '${name}'`);
    await server.query(`create database ${name} owner ${name}`);
    const url = new URL(db.ownerUrl);
    [url.username, url.password, url.pathname] = [name, name, `/${name}`];
    const { rolePrefix, appPassword } = db;
    const access = { ownerUrl: url.href, rolePrefix, appPassword };
    await migrate(access);
    const owner = new Client({ connectionString: access.ownerUrl });
    await owner.connect();
    const there = async () =>
      (await owner.query<{ it: unknown }>(`select to_regclass('storage_totals') as it`)).rows[0]?.it !== null;
    while (await there()) await revertLast(access.ownerUrl);

    const tenantId = await new Factories(owner).tenant();
    await owner.query(
      `insert into files (tenant_id, id, name, size_bytes, mime_type, sha256, storage_key)
        values ($1, $2, 'f', 321, 'text/plain', '', 'key')`,
      [tenantId, newId()],
    );
    await owner.query(`insert into customers (tenant_id, id, name) values ($1, 'a', 'A')`, [tenantId]);
    await owner.query(
      `insert into orders (tenant_id, id, customer_id, total, currency) values ($1, '1', 'a', 1.5, 'EUR')`,
      [tenantId],
    );
    const forced = `select count(*)::int as n from pg_class where relforcerowsecurity
      and relname in ('files', 'customers', 'orders')`;
    expect((await owner.query<{ n: number }>(forced)).rows).toEqual([{ n: 3 }]);

    await migrate(access);
    const { rows } = await owner.query<object>(
      `select s.tenant_id, s.bytes::int, c.customer_id, c.total from storage_totals s join customer_totals c using (tenant_id)`,
    );
    expect(rows).toEqual([{ tenant_id: tenantId, bytes: 321, customer_id: 'a', total: '1.5000' }]);

    await owner.end();
    await server.query(`drop database ${name} with (force)`);
    await server.query(`drop role ${name}`);
    await server.end();
    await db.drop();
  }, 60_000);
});
