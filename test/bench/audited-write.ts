import { performance } from 'node:perf_hooks';
import { newId } from '../../src/common/ids';
import { userActor } from '../../src/common/actor';
import { loadConfig } from '../../src/config/load-config';
import { audited, AuditLog } from '../../src/platform/audit/audit-log';
import type { AuditEntry } from '../../src/platform/audit/audit-record';
import { BatchDatabase } from '../../src/platform/database/batch-database';
import { DatabaseConnections } from '../../src/platform/database/database-connections';
import { roleAccessOf } from '../../src/platform/database/role-access';
import { TenantDatabase } from '../../src/platform/database/tenant-database';
import { Metrics } from '../../src/platform/metrics/metrics';
import type { Bed } from './bed';
import { POOL_MAX } from './bed';
import { medianOf, type Plan } from './measure';

/** Writers at once, each on a row of its own: what is measured is the record, not the waiting for a row. */
export const WRITERS = 64;

/** Writes per second without and with their record; the ratio is the median of each round's. */
export interface AuditedWrites {
  title: string;
  plainPerS: number;
  auditedPerS: number;
  ratio: number;
}

const UPDATE = `update users set name = $3, version = version + 1, updated_at = now() where tenant_id = $1 and id = $2 returning id`;

type Write = (userId: string, name: string) => Promise<unknown>;

/** The same change of a user without and with its audit record, in one statement and in a transaction; nothing else differs. */
export async function measureAuditedWrites(bed: Bed, plan: Plan): Promise<AuditedWrites[]> {
  const { tenantId } = bed.customers.sender;
  const config = loadConfig({
    DATABASE_URL: bed.database.url,
    DATA_ENCRYPTION_KEY: bed.database.encryptionKey,
    DATABASE_POOL_MAX: String(POOL_MAX),
  });
  const connections = new DatabaseConnections(roleAccessOf(config), config, []);
  await connections.onModuleInit();
  try {
    const db = new TenantDatabase(connections);
    const users = await addUsers(db, tenantId);
    const ways = waysOf(db, new AuditLog(new BatchDatabase(connections), new Metrics()), tenantId);
    const results: AuditedWrites[] = [];
    for (const { title, plain, recorded } of ways)
      results.push({ title, ...(await compareWrites(users, [plain, recorded], plan)) });
    return results;
  } finally {
    await connections.onApplicationShutdown();
  }
}

function waysOf(db: TenantDatabase, audit: AuditLog, tenantId: string) {
  const actor = userActor({ id: newId(), tenantId, role: 'TENANT_ADMIN', loginId: newId() });
  const entry = (id: string): AuditEntry => ({
    action: 'USER_UPDATED',
    resource: `user:${id}`,
    metadata: { fields: ['name'] },
  });
  const withRecord = audited(UPDATE, 3);
  return [
    {
      title: 'one statement',
      plain: (id: string, name: string) => db.query(tenantId, UPDATE, [tenantId, id, name]),
      recorded: (id: string, name: string) =>
        db.query(tenantId, withRecord, [tenantId, id, name, ...audit.row(actor, entry(id))]),
    },
    {
      title: 'a transaction',
      plain: (id: string, name: string) => db.transaction(tenantId, (tx) => tx.query(UPDATE, [tenantId, id, name])),
      recorded: (id: string, name: string) =>
        db.transaction(tenantId, async (tx) => {
          await tx.query(UPDATE, [tenantId, id, name]);
          await audit.record(tx, actor, entry(id));
        }),
    },
  ];
}

async function compareWrites(users: string[], [plain, recorded]: [Write, Write], plan: Plan) {
  const rates: [number[], number[]] = [[], []];
  for (let round = -1; round < plan.rounds; round += 1) {
    const seconds = round < 0 ? Math.min(plan.warmUpSeconds, 4) : plan.seconds;
    for (const side of round % 2 ? ([1, 0] as const) : ([0, 1] as const)) {
      const perS = await writesPerS(users, side === 0 ? plain : recorded, seconds);
      if (round >= 0) rates[side].push(perS);
    }
  }
  const [plainPerS, auditedPerS] = [medianOf(rates[0]), medianOf(rates[1])];
  return { plainPerS, auditedPerS, ratio: medianOf(rates[1].map((perS, round) => perS / (rates[0][round] ?? NaN))) };
}

async function writesPerS(users: string[], write: Write, seconds: number): Promise<number> {
  const begun = performance.now();
  const until = begun + seconds * 1000;
  let done = 0;
  const writer = async (id: string): Promise<void> => {
    for (let n = 0; performance.now() < until; n += 1) {
      await write(id, `name ${n}`);
      done += 1;
    }
  };
  await Promise.all(users.map(writer));
  return done / ((performance.now() - begun) / 1000);
}

async function addUsers(db: TenantDatabase, tenantId: string): Promise<string[]> {
  const ids = Array.from({ length: WRITERS }, newId);
  await db.query(
    tenantId,
    `insert into users (tenant_id, id, email, name, role, password_hash)
      select $1, id, id || '@bench.example', 'Bench', 'AGENT', '-' from unnest($2::uuid[]) as g(id)`,
    [tenantId, ids],
  );
  return ids;
}
