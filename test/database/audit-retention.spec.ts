import type { Client } from 'pg';
import type { Config } from '../../src/config/config';
import { AuditRetentionJob, keptFromAt } from '../../src/modules/audit/retention.job';
import { migrate } from '../../src/platform/database/migrate';
import { CHAIN_KEYS, TestTrail } from '../support/audit';
import { freshDatabase, type TestDatabase } from '../support/database';
import { type Doors, openDoors } from './database.harness';

const RETENTION_DAYS = 400;

let db: TestDatabase;
let owner: Client;
let doors: Doors;
let trail: TestTrail;
let job: AuditRetentionJob;

beforeEach(async () => {
  db = await freshDatabase();
  owner = await db.owner();
  doors = await openDoors(db, 2);
  trail = new TestTrail(owner, doors);
  const config = { AUDIT_RETENTION_DAYS: RETENTION_DAYS } as Config;
  job = new AuditRetentionJob(config, trail.chains, CHAIN_KEYS);
  for (let ago = 1; ago <= 30; ago += 1) await makeMonth(ago);
});

afterEach(async () => {
  await doors.close();
  await owner.end();
  await db.drop();
});

/** A month so long before the present one, as it was made in its time. */
async function makeMonth(ago: number): Promise<void> {
  await owner.query(
    `do $$ declare first_day date := date_trunc('month', now() at time zone 'UTC') - interval '${ago} months'; begin
      execute format('create table if not exists audit_logs_%s partition of audit_logs for values from (%L) to (%L)',
        to_char(first_day, 'YYYYMM'), first_day::timestamp at time zone 'UTC',
        (first_day + interval '1 month') at time zone 'UTC'); end $$`,
  );
}

async function months(): Promise<string[]> {
  const { rows } = await owner.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'audit_logs'::regclass order by 1`,
  );
  return rows.map(({ name }) => name);
}

const runJob = (): Promise<void> => job.run(new AbortController().signal);
const partitionOf = (month: string): string => `audit_logs_${month.slice(0, 7).replace('-', '')}`;

/** Two records in each month, from the one so long ago to the present; the newest of them wait to be sealed. */
async function history(ago: number): Promise<string> {
  const tenant = trail.newTenant();
  for (let month = ago; month >= 1; month -= 1) await trail.writeMany(tenant, 2, `${month} months`);
  await trail.seal(tenant);
  await trail.writeMany(tenant, 2);
  return tenant;
}

it('drops whole months past their retention, and the chain goes on from where it was', async () => {
  const tenant = await history(24);
  const noted = (await trail.verify(tenant)).head;
  const before = await trail.verify(tenant);
  expect(before).toMatchObject({ ok: true, checked: 48 });
  await runJob();
  const keptFrom = keptFromAt(new Date(), RETENTION_DAYS);
  expect((await months())[0]).toBe(partitionOf(keptFrom));
  const { rows } = await owner.query<{ kept: number }>(
    'select count(*)::int as kept from audit_logs where tenant_id = $1 and at < now() - interval $$1 day$$',
    [tenant],
  );
  const kept = rows[0]?.kept ?? 0;
  expect(kept).toBeGreaterThan(20);
  expect(kept).toBeLessThan(32);
  const verdict = await trail.verify(tenant, noted);
  expect(verdict).toMatchObject({ ok: true, checked: kept, noted: 'part', head: noted });
  await trail.seal(tenant);
  expect(await trail.verify(tenant)).toMatchObject({ ok: true, checked: kept + 2, pending: 0 });
  const oldest = await owner.query('select min(month)::text as month from audit_seals where tenant_id = $1', [tenant]);
  expect(oldest.rows).toEqual([{ month: keptFrom }]);
});

it('is nothing new the second time, nor for two at once', async () => {
  const tenant = await history(20);
  await Promise.all([runJob(), runJob()]);
  const standing = await months();
  await runJob();
  expect(await months()).toEqual(standing);
  expect(await trail.verify(tenant)).toMatchObject({ ok: true });
});

it('says of a head older than what is kept that it is', async () => {
  const tenant = trail.newTenant();
  await trail.writeMany(tenant, 2, '24 months');
  await trail.seal(tenant);
  const { head } = await trail.verify(tenant);
  await trail.writeMany(tenant, 2, '23 months');
  await trail.writeMany(tenant, 2);
  await trail.seal(tenant);
  await runJob();
  expect(await trail.verify(tenant, head)).toMatchObject({ ok: true, checked: 2, noted: 'expired' });
});

it('keeps a chain whole of which nothing is left but its head', async () => {
  const tenant = trail.newTenant();
  await trail.writeMany(tenant, 2, '24 months');
  await trail.seal(tenant);
  const { head } = await trail.verify(tenant);
  await runJob();
  expect(await trail.verify(tenant, head)).toMatchObject({ ok: true, checked: 0, head, noted: 'part' });
  await trail.writeMany(tenant, 1);
  await trail.seal(tenant);
  expect(await trail.verify(tenant, head)).toMatchObject({ ok: true, checked: 1, noted: 'part' });
});

it('drops a record that came late, sealed after those of later months', async () => {
  const tenant = trail.newTenant();
  await trail.writeMany(tenant, 1, '12 months');
  await trail.seal(tenant);
  await trail.writeMany(tenant, 1, '24 months');
  await trail.seal(tenant);
  await runJob();
  expect(await trail.verify(tenant)).toMatchObject({ ok: true, checked: 1, sealed: 2 });
});

it('drops no month of which a record waits to be sealed', async () => {
  const tenant = trail.newTenant();
  await trail.writeMany(tenant, 1, '24 months');
  await runJob();
  expect(await trail.ids(tenant)).toHaveLength(1);
  await trail.seal(tenant);
  await runJob();
  await runJob();
  expect(await trail.verify(tenant)).toMatchObject({ ok: true });
});

it('drops nothing of a chain that somebody has tampered with', async () => {
  const tenant = await history(24);
  await owner.query(`update audit_seals set month = '2001-01-01' where tenant_id = $1 and seq = 3`, [tenant]);
  await runJob();
  expect(await trail.verify(tenant)).toMatchObject({ ok: false, firstBroken: { kind: 'chain', seq: 3 } });
  expect(await trail.ids(tenant)).toHaveLength(50);
});

it('finds months that the owner dropped before their time', async () => {
  const tenant = await history(14);
  await runJob();
  const month = keptFromAt(new Date(Date.now() - 300 * 86_400_000), 0);
  await owner.query(`drop table ${partitionOf(month)}`);
  expect(await trail.verify(tenant)).toMatchObject({ ok: false, firstBroken: { kind: 'missing' } });
});

it('makes months ahead, and gives up where it would hold up writers', async () => {
  await runJob();
  const ahead = (await months()).filter((name) => name > partitionOf(new Date().toISOString()));
  expect(ahead).toHaveLength(14);
  await owner.query(`drop table ${ahead.at(-1)}`);
  const reader = await db.owner();
  await reader.query('begin; lock table audit_logs in access share mode');
  await expect(runJob()).rejects.toThrow('lock timeout');
  await migrate(db);
  await reader.query('rollback');
  await reader.end();
  await runJob();
  expect(await months()).toContain(ahead.at(-1));
});

describe('the first month that is kept', () => {
  it.each([
    ['2026-11-24T00:00:00Z', 400, '2025-10-01'],
    ['2026-03-31T23:59:59Z', 30, '2026-03-01'],
    ['2026-03-30T23:59:59Z', 30, '2026-02-01'],
    ['2026-01-01T00:00:00Z', 1, '2025-12-01'],
  ])('at %s with %i days is %s', (now, days, first) => {
    expect(keptFromAt(new Date(now), days)).toBe(first);
  });
});
