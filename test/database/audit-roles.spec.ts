import { Client } from 'pg';
import { ROLE_KINDS } from '../../src/platform/database/role-kinds';
import { TestTrail } from '../support/audit';
import { freshDatabase, type TestDatabase } from '../support/database';
import { type Doors, openDoors } from './database.harness';

const NIL = '00000000-0000-0000-0000-000000000000';

let db: TestDatabase;
let owner: Client;
let doors: Doors;
let trail: TestTrail;

beforeAll(async () => {
  db = await freshDatabase();
  owner = await db.owner();
  doors = await openDoors(db, 2);
  trail = new TestTrail(owner, doors);
});

afterAll(async () => {
  await doors.close();
  await owner.end();
  await db.drop();
});

describe('the roles of the service', () => {
  const TABLES = ['audit_logs', 'audit_seals', 'audit_chains', 'audit_pending', 'audit_policy'];
  const mayDo = async (role: string, table: string): Promise<string[]> => {
    const { rows } = await owner.query<{ work: string }>(
      `select work from unnest(array['UPDATE', 'DELETE', 'TRUNCATE']) work where has_table_privilege($1, $2, work)`,
      [`${db.rolePrefix}_${role}`, table],
    );
    return rows.map(({ work }) => `${work} ${table}`);
  };

  it.each(ROLE_KINDS)('%s changes and deletes no record and no seal, not even in a partition', async (role) => {
    const { tenant } = await trail.threeSeals();
    const client = await openAs(role);
    const { rows: parts } = await owner.query<{ name: string }>(
      `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'audit_logs'::regclass`,
    );
    for (const table of ['audit_logs', 'audit_seals', ...parts.map(({ name }) => name)]) {
      await client.query(`select set_config('app.tenant_id', $1, false)`, [tenant]);
      await expect(client.query(`update ${table} set tenant_id = tenant_id`)).rejects.toThrow('permission denied');
      await expect(client.query(`delete from ${table}`)).rejects.toThrow('permission denied');
      await expect(client.query(`truncate ${table}`)).rejects.toThrow('permission denied');
    }
    await client.end();
  });

  it('but the system role takes what it sealed out of the line, and moves heads; nobody else does either', async () => {
    const allowed: Record<string, string[]> = {};
    for (const role of ROLE_KINDS) {
      allowed[role] = [];
      for (const table of TABLES) allowed[role].push(...(await mayDo(role, table)));
    }
    expect(allowed).toEqual({
      app: [],
      batch: [],
      system: ['UPDATE audit_chains', 'DELETE audit_pending'],
    });
  });

  it.each([
    ['app', 'audit_maintain()'],
    ['batch', 'audit_maintain()'],
    ['app', 'audit_forget_seals()'],
    ['batch', 'audit_forget_seals()'],
    ['app', `audit_erase('${NIL}', '${NIL}')`],
    ['batch', `audit_erase('${NIL}', '${NIL}')`],
  ] as const)('%s cannot call %s', async (role, call) => {
    const client = await openAs(role);
    await expect(client.query(`select ${call}`)).rejects.toThrow('permission denied for function');
    await client.end();
  });

  it('finds no own table in the place of the catalogue of the owner functions', async () => {
    const { rows } = await owner.query<{ proname: string; path: string }>(
      `select proname, proconfig::text as path from pg_proc where proname like 'audit\\_%' and prosecdef order by 1`,
    );
    expect(rows).toHaveLength(5);
    for (const { path } of rows) expect(path).toContain('search_path=pg_catalog, public, pg_temp');
  });
});

async function openAs(role: (typeof ROLE_KINDS)[number]): Promise<Client> {
  const client = new Client({ connectionString: db.roleUrl(role) });
  await client.connect();
  return client;
}
