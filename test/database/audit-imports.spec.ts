import type { Client } from 'pg';
import { newId } from '../../src/common/ids';
import { type AuditLogFilter, AuditLogsRepository } from '../../src/modules/audit/audit-logs.repository';
import type { TenantDatabase } from '../../src/platform/database/tenant-database';
import { freshDatabase, type TestDatabase } from '../support/database';
import { type Doors, openDoors } from './database.harness';

const TENANTS = 2;
/** Of each tenant; each of 100 products. */
const PORTIONS = 3_000;
/** Pages of the database that may be read to find a few of them: the ways down the indexes of all months, and a row each. */
const PAGES = 400;

let db: TestDatabase;
let owner: Client;
let doors: Doors;
const tenants = Array.from({ length: TENANTS }, newId);
const [tenant = ''] = tenants;

beforeAll(async () => {
  db = await freshDatabase();
  owner = await db.owner();
  doors = await openDoors(db);
  for (const id of tenants)
    await owner.query(
      `insert into audit_logs (tenant_id, id, actor_kind, action, resource, metadata, personal_hash)
        select $1, gen_random_uuid(), 'system', 'IMPORT_ROWS_WRITTEN', 'import:1', json_build_object('kind', 'products',
          'added', (select json_agg('p_' || n * 100 + m) from generate_series(1, 99) m),
          'changed', json_build_array('p_' || n % 250)), sha256(n::text::bytea)
        from generate_series(1, $2::int) n`,
      [id, PORTIONS],
    );
  await owner.query('analyze audit_logs');
}, 120_000);

afterAll(async () => {
  await doors.close();
  await owner.end();
  await db.drop();
});

interface Plan {
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
}

/** The records that are found, and how many pages were read for them. */
async function look(filter: AuditLogFilter): Promise<{ rows: number; pages: number }> {
  let pages = 0;
  const queryOnce = async (id: string, text: string, params: unknown[]) => {
    const explain = `explain (analyze, buffers, format json) ${text}`;
    const [plan] = await doors.tenant.queryOnce<{ 'QUERY PLAN': [{ Plan: Plan }] }>(id, explain, params);
    const { 'Shared Hit Blocks': hit = 0, 'Shared Read Blocks': read = 0 } = plan?.['QUERY PLAN'][0].Plan ?? {};
    pages += hit + read;
    return doors.tenant.queryOnce(id, text, params);
  };
  const repository = new AuditLogsRepository({ queryOnce } as unknown as TenantDatabase);
  return { rows: (await repository.list(tenant, filter, { limit: 20 })).length, pages };
}

it(`finds the imports that wrote a product among ${TENANTS * PORTIONS} by an index`, async () => {
  await look({ resource: 'product:p_nobody' }); // reads the catalogue
  for (const [resource, rows] of [
    ['product:p_nobody', 0],
    ['product:p_77', PORTIONS / 250],
    ['product:p_50077', 1],
    ['customer:p_77', 0],
  ] as const) {
    const found = await look({ resource });
    expect([resource, found.rows, found.pages <= PAGES ? 'few' : found.pages]).toEqual([resource, rows, 'few']);
  }
});
