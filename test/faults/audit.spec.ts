import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/wait';
import { createSession } from '../support/whatsapp';
import { inWorld, useWorlds, type World } from './world';

const KILLS = 3;
const CALLERS = 6;

useWorlds();

interface Change {
  rows: number;
  records: number;
}

/** Sessions that were ever made, and the records of that. */
async function madeAndRecorded(world: World): Promise<Change> {
  const owner = await world.owner();
  const { rows } = await owner.query<Change>(
    `select (select count(*) from sessions)::int as rows, (select count(*) from audit_logs l join sessions s
      on l.resource = 'session:' || s.id and l.tenant_id = s.tenant_id where l.action = 'SESSION_CREATED')::int as records`,
  );
  return rows[0] ?? { rows: NaN, records: NaN };
}

/** Sessions that are to be gone, and the records of that. */
async function deletedAndRecorded(world: World): Promise<Change> {
  const owner = await world.owner();
  const { rows } = await owner.query<Change>(
    `select (select count(*) from sessions where desired = 'deleted')::int as rows,
      (select count(*) from audit_logs where action = 'SESSION_DELETED')::int as records`,
  );
  return rows[0] ?? { rows: NaN, records: NaN };
}

interface Work {
  /** Calls that got their answer. */
  answered: number;
  /** Calls that got none. */
  broken: number;
  over: boolean;
}

/** Makes sessions and deletes every second one, until it is over; a call that broke is not made again. */
async function makeAndDelete(world: World, caller: number, work: Work): Promise<void> {
  for (let nth = 0; !work.over; nth += 1) {
    const name = `shop ${caller} ${nth}`;
    try {
      const { id } = await createSession(world.http, name);
      work.answered += 1;
      if (nth % 2 === 0) await world.http.delete(`/waha/sessions/${id}`);
    } catch {
      work.broken += 1;
      await sleep(20);
    }
  }
}

it('no change is without its record and no record without its change, though the process is killed three times', async () => {
  await inWorld({ sessions: 0 }, async (world) => {
    const work: Work = { answered: 0, broken: 0, over: false };
    const callers = Array.from({ length: CALLERS }, (_, caller) => makeAndDelete(world, caller, work));
    for (let kill = 1; kill <= KILLS; kill += 1) {
      await eventually(() => work.answered >= kill * 25, { timeoutMs: 30_000, everyMs: 1 });
      await world.service.kill();
      await world.service.start();
    }
    await eventually(() => work.answered >= (KILLS + 1) * 25, { timeoutMs: 30_000 });
    work.over = true;
    await Promise.all(callers);
    const made = await madeAndRecorded(world);
    const deleted = await deletedAndRecorded(world);
    process.stdout.write(`audit: ${JSON.stringify({ ...work, made, deleted })}\n`);
    expect(work.broken).toBeGreaterThan(0);
    expect(made.rows).toBeGreaterThanOrEqual(100);
    expect(made.records).toBe(made.rows);
    expect(deleted.rows).toBeGreaterThan(25);
    expect(deleted.records).toBe(deleted.rows);
    await eventually(async () => {
      const { body } = await world.http.get<{ ok: boolean; pending: number; checked: number }>('/audit/verify');
      return body.ok && body.pending === 0 && body.checked >= made.records + deleted.records;
    });
  });
}, 180_000);
