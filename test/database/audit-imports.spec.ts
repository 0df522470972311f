import type { Client } from 'pg';
import { newId } from '../../src/common/ids';
import { type AuditLogFilter, AuditLogsRepository } from '../../src/modules/audit/audit-logs.repository';
import { freshDatabase, type TestDatabase } from '../support/database';
import { PlanReader } from './plans';

const TENANTS = 2;
/** Of each tenant; each of 100 products. */
const PORTIONS = 3_000;
/** Pages of the database that may be read to find a few of them: the ways down the indexes of all months, and a row each. */
const PAGES = 400;

let db: TestDatabase;
let owner: Client;
let reader: PlanReader;
const tenants = Array.from({ length: TENANTS }, newId);
const [tenant = ''] = tenants;

beforeAll(async () => {
  db = await freshDatabase();
  owner = await db.owner();
  reader = await PlanReader.open(db);
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
  await reader.close();
  await owner.end();
  await db.drop();
});

/** The records that are found, and how many pages were read for them. */
async function look(filter: AuditLogFilter): Promise<{ rows: number; pages: number }> {
  reader.look();
  const rows = await new AuditLogsRepository(reader.door).list(tenant, filter, { limit: 20 });
  return { rows: rows.length, pages: reader.pages };
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
