import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { TestTrail } from '../support/audit';
import { freshDatabase } from '../support/database';
import { openDoors } from './database.harness';

/** `AUDIT_RECORDS=100000` measures more of them. */
const RECORDS = Number(process.env.AUDIT_RECORDS ?? 20_000);
const PART = 10_000;
const MIB = 2 ** 20;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function keptMib(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed / MIB;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return Math.round(performance.now() - began);
}

it(`seals and checks ${RECORDS} records in memory that does not grow with them`, async () => {
  const db = await freshDatabase();
  const owner = await db.owner();
  const doors = await openDoors(db, 2);
  const trail = new TestTrail(owner, doors);
  const tenant = trail.newTenant();
  for (let written = 0; written < RECORDS; written += PART) await trail.writeMany(tenant, PART);
  const before = keptMib();
  const sealMs = await timed(() => trail.seal(tenant));
  let kept = 0;
  const verifyMs = await timed(async () => {
    const verdict = await trail.verify(tenant);
    kept = keptMib() - before;
    expect(verdict).toMatchObject({ ok: true, checked: RECORDS, pending: 0 });
  });
  process.stdout.write(`audit: ${JSON.stringify({ records: RECORDS, sealMs, verifyMs, keptMib: Math.round(kept) })}\n`);
  expect(kept).toBeLessThan(16);
  await doors.close();
  await owner.end();
  await db.drop();
}, 180_000);
