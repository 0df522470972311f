import { Client } from 'pg';
import { BatchDatabase } from '../../src/platform/database/batch-database';
import { DatabaseConnections } from '../../src/platform/database/database-connections';
import { migrate } from '../../src/platform/database/migrate';
import { AuditLog } from '../../src/platform/audit/audit-log';
import { type AuditEntry, NOBODY } from '../../src/platform/audit/audit-record';
import { Metrics } from '../../src/platform/metrics/metrics';
import { TestTrail } from '../support/audit';
import { startOwnPostgres, workerDatabase, type OwnPostgres } from '../support/database';
import { TEST_PASSWORD, TEST_ROLE_PREFIX } from '../support/run';
import { eventually } from '../support/wait';
import { type Doors, openDoors } from './database.harness';

const BUFFER = 1_000;

let owner: Client;
let doors: Doors;
let trail: TestTrail;

beforeAll(async () => {
  const db = await workerDatabase();
  owner = await db.owner();
  doors = await openDoors(db, 2);
  trail = new TestTrail(owner, doors);
});

afterAll(async () => {
  await doors.close();
  await owner.end();
});

const refused = (nth: number): AuditEntry => ({ action: 'ACCESS_DENIED', resource: `GET /thing/${nth}` });

describe('the buffer of reads and refusals', () => {
  it('takes 1,000, counts what finds it full, and slows nobody', async () => {
    const tenant = trail.newTenant();
    const began = performance.now();
    for (let i = 0; i < BUFFER + 50; i += 1) trail.log.note(tenant, NOBODY, refused(i));
    expect(performance.now() - began).toBeLessThan(500);
    expect([trail.log.buffered, trail.log.lost]).toEqual([BUFFER, 50]);
    expect(await trail.metrics.valueOf('switchboard_audit_dropped_total')).toBe(50);
    await Promise.all([trail.log.flush(), trail.log.flush(), trail.log.flush()]);
    expect(await trail.ids(tenant)).toHaveLength(BUFFER);
    expect(trail.log.buffered).toBe(0);
  });

  it('is written soon by itself, and all of it at shutdown', async () => {
    const tenant = trail.newTenant();
    trail.log.note(tenant, NOBODY, refused(1));
    await eventually(async () => (await trail.ids(tenant)).length === 1);
    trail.log.note(tenant, NOBODY, refused(2));
    await trail.log.beforeApplicationShutdown();
    expect(await trail.ids(tenant)).toHaveLength(2);
  });

  it('writes the records of several tenants together, each into its own trail', async () => {
    const tenants = [trail.newTenant(), trail.newTenant(), trail.newTenant()];
    for (const tenant of tenants) trail.log.note(tenant, NOBODY, refused(1));
    await trail.log.flush();
    for (const tenant of tenants) expect(await trail.ids(tenant)).toHaveLength(1);
  });

  it('takes text that PostgreSQL would refuse', async () => {
    const tenant = trail.newTenant();
    const odd = 'a\0b\uD800c';
    trail.log.note(tenant, NOBODY, {
      action: 'ACCESS_DENIED',
      resource: `${odd}${'x'.repeat(290)}\u{1F600}${'y'.repeat(300)}`,
      metadata: { [odd]: odd },
      personal: { email: odd },
    });
    await trail.log.flush();
    await trail.seal(tenant);
    expect(await trail.verify(tenant)).toMatchObject({ ok: true, checked: 1 });
    const { rows } = await owner.query<{ metadata: unknown }>('select metadata from audit_logs where tenant_id = $1', [
      tenant,
    ]);
    expect(rows).toEqual([{ metadata: { [odd]: odd } }]);
  });

  it('drops the one record that the database refuses, and writes the others', async () => {
    const tenant = trail.newTenant();
    const lostBefore = trail.log.lost;
    trail.log.note(tenant, NOBODY, refused(1));
    trail.log.note(tenant, NOBODY, { ...refused(2), action: '' as 'LOGIN' });
    trail.log.note(tenant, NOBODY, refused(3));
    await trail.log.flush();
    expect(await trail.ids(tenant)).toHaveLength(2);
    expect(trail.log.lost - lostBefore).toBe(1);
  });

  it('writes once what it sends twice, because the answer to the first was lost', async () => {
    const tenant = trail.newTenant();
    const batches = new BatchDatabase(doors.connections);
    let answers = 0;
    const losing = {
      query: async (...call: Parameters<BatchDatabase['query']>) => {
        const rows = await batches.query(...call);
        if ((answers += 1) === 1) throw new Error('Connection terminated unexpectedly');
        return rows;
      },
    } as BatchDatabase;
    const log = new AuditLog(losing, new Metrics());
    for (let i = 0; i < 10; i += 1) log.note(tenant, NOBODY, refused(i));
    await log.flush();
    expect(log.buffered).toBe(10);
    await log.flush();
    expect(answers).toBe(2);
    expect(await trail.ids(tenant)).toHaveLength(10);
  });
});

describe('while PostgreSQL is away', () => {
  let postgres: OwnPostgres;

  beforeAll(async () => {
    postgres = await startOwnPostgres();
    await migrate({ ownerUrl: postgres.url, rolePrefix: TEST_ROLE_PREFIX, appPassword: TEST_PASSWORD });
  }, 60_000);

  afterAll(() => postgres.stop('immediate'));

  it('what was noted waits, and is written when it is back', async () => {
    const access = { ownerUrl: postgres.url, rolePrefix: TEST_ROLE_PREFIX, appPassword: TEST_PASSWORD };
    const connections = new DatabaseConnections(access, { DATABASE_POOL_MAX: 1 }, []);
    connections.batch.on('error', () => undefined);
    const log = new AuditLog(new BatchDatabase(connections), new Metrics());
    const tenant = trail.newTenant();
    log.note(tenant, NOBODY, refused(0));
    await log.flush();
    await postgres.stop('immediate');
    for (let i = 1; i <= 20; i += 1) log.note(tenant, NOBODY, refused(i));
    await log.flush();
    expect(log.buffered).toBe(20);
    await postgres.restart();
    await eventually(() => log.buffered === 0);
    const client = new Client({ connectionString: postgres.url });
    await client.connect();
    const { rows } = await client.query('select from audit_logs where tenant_id = $1', [tenant]);
    await client.end();
    expect(rows).toHaveLength(21);
    await connections.batch.end();
    await connections.system.end();
  }, 60_000);
});
