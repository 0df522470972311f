import { Client } from 'pg';
import type { Config } from '../../src/config/config';
import { BatchDatabase } from '../../src/platform/database/batch-database';
import { DatabaseConnections } from '../../src/platform/database/database-connections';
import { migrate } from '../../src/platform/database/migrate';
import { AuditLog } from '../../src/platform/audit/audit-log';
import { type AuditEntry, NOBODY } from '../../src/platform/audit/audit-record';
import { Metrics } from '../../src/platform/metrics/metrics';
import { SHUTTING_DOWN, TestTrail } from '../support/audit';
import { blocksSomebody } from '../support/blocked';
import { startOwnPostgres, workerDatabase, type OwnPostgres } from '../support/database';
import { TEST_ROLE_PASSWORD, TEST_ROLE_PREFIX } from '../support/run';
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
    const log = new AuditLog(losing, new Metrics(), SHUTTING_DOWN);
    for (let i = 0; i < 10; i += 1) log.note(tenant, NOBODY, refused(i));
    await log.flush();
    expect(log.buffered).toBe(10);
    await log.flush();
    expect(answers).toBe(2);
    expect(await trail.ids(tenant)).toHaveLength(10);
  });
});

describe('a shutdown', () => {
  it('waits for a PostgreSQL that is blocked, and writes all', async () => {
    const tenant = trail.newTenant();
    for (let i = 0; i < 300; i += 1) trail.log.note(tenant, NOBODY, refused(i));
    const lostBefore = trail.log.lost;
    await owner.query('begin; lock table audit_logs in exclusive mode');
    const ending = trail.log.beforeApplicationShutdown();
    await blocksSomebody(owner, 'the last write');
    await owner.query('rollback');
    await ending;
    expect([trail.log.buffered, trail.log.lost - lostBefore]).toEqual([0, 0]);
    expect(await trail.ids(tenant)).toHaveLength(300);
  });

  it('counts as dropped what PostgreSQL was blocked for too long to take', async () => {
    const metrics = new Metrics();
    const log = new AuditLog(new BatchDatabase(doors.connections), metrics, { SHUTDOWN_TIMEOUT_S: 1 } as Config);
    for (let i = 0; i < 300; i += 1) log.note(trail.newTenant(), NOBODY, refused(i));
    await owner.query('begin; lock table audit_logs in exclusive mode');
    await log.beforeApplicationShutdown();
    expect([log.buffered, log.lost]).toEqual([0, 300]);
    expect(await metrics.valueOf('switchboard_audit_dropped_total')).toBe(300);
    await owner.query('rollback');
  });
});

describe('while PostgreSQL is away', () => {
  let postgres: OwnPostgres;
  let connections: DatabaseConnections;
  let log: AuditLog;

  beforeAll(async () => {
    postgres = await startOwnPostgres();
    const access = { ownerUrl: postgres.url, rolePrefix: TEST_ROLE_PREFIX, appPassword: TEST_ROLE_PASSWORD };
    await migrate(access);
    connections = new DatabaseConnections(access, { DATABASE_POOL_MAX: 1 }, []);
    connections.batch.on('error', () => undefined);
    log = new AuditLog(new BatchDatabase(connections), new Metrics(), SHUTTING_DOWN);
  }, 60_000);

  afterAll(async () => {
    await connections.batch.end();
    await connections.system.end();
    await postgres.stop('immediate');
  });

  /** How many records of the tenant there are, on a connection of its own. */
  async function written(tenant: string): Promise<number> {
    const client = new Client({ connectionString: postgres.url });
    await client.connect();
    const { rowCount } = await client.query('select from audit_logs where tenant_id = $1', [tenant]);
    await client.end();
    return rowCount ?? NaN;
  }

  it('what was noted waits, and is written when it is back', async () => {
    const tenant = trail.newTenant();
    log.note(tenant, NOBODY, refused(0));
    await log.flush();
    await postgres.stop('immediate');
    for (let i = 1; i <= 20; i += 1) log.note(tenant, NOBODY, refused(i));
    await log.flush();
    expect(log.buffered).toBe(20);
    await postgres.restart();
    await eventually(() => log.buffered === 0);
    expect(await written(tenant)).toBe(21);
  }, 60_000);

  it('a shutdown tries again until it is back', async () => {
    const tenant = trail.newTenant();
    for (let i = 0; i < 20; i += 1) log.note(tenant, NOBODY, refused(i));
    await postgres.stop('immediate');
    await log.flush();
    expect(log.buffered).toBe(20);
    const ending = log.beforeApplicationShutdown();
    await postgres.restart();
    await ending;
    expect([log.buffered, log.lost, await written(tenant)]).toEqual([0, 0, 20]);
  }, 60_000);
});
