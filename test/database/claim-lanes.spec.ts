import type { Client } from 'pg';
import { newId } from '../../src/common/ids';
import { LaneStore } from '../../src/modules/messages/lanes/lane-store.service';
import { freshDatabase, type TestDatabase } from '../support/database';
import { Factories, type TestSession } from '../support/factories';
import { type Doors, openDoors } from './database.harness';

let db: TestDatabase;
let owner: Client;
let doors: Doors;
let store: LaneStore;

beforeAll(async () => {
  db = await freshDatabase();
  owner = await db.owner();
  doors = await openDoors(db, 2);
  store = new LaneStore(doors.system, { workerId: newId(), wake: () => undefined } as never);
});

afterAll(async () => {
  await doors.close();
  await owner.end();
  await db.drop();
});

/** Lanes of one tenant that are due, each later than the one before; in every third a message waits. */
async function dueLanes(count: number): Promise<{ empty: TestSession[]; waiting: TestSession[] }> {
  const make = new Factories(owner);
  const tenantId = await make.tenant();
  const lanes = { empty: [] as TestSession[], waiting: [] as TestSession[] };
  for (let nth = 0; nth < count; nth += 1) {
    const session = await make.session(tenantId, { lane: 'open' });
    if (nth % 3 === 2) await make.message(session);
    lanes[nth % 3 === 2 ? 'waiting' : 'empty'].push(session);
    const due = [session.id, count - nth];
    await owner.query(`update lanes set next_at = now() - $2 * interval '1 second' where session_id = $1`, due);
  }
  return lanes;
}

const idsOf = (sessions: readonly { id: string }[]): string[] => sessions.map(({ id }) => id);
const taken = async (most: { lanes: number; jobs: number }): Promise<string[]> =>
  (await store.claim(most)).jobs.map(({ session_id }) => session_id);

async function lanesThat(condition: string): Promise<string[]> {
  const { rows } = await owner.query<{ id: string }>(`select session_id as id from lanes where ${condition}`);
  return idsOf(rows).sort();
}

it('of many lanes those with nothing to send are put to rest, and no more messages are taken than were asked for', async () => {
  const { empty, waiting } = await dueLanes(30);
  const first = await store.claim({ lanes: 30, jobs: 4 });
  expect(first.lanes).toBe(30);
  expect(first.jobs.map(({ session_id }) => session_id).sort()).toEqual(idsOf(waiting.slice(0, 4)).sort());
  expect(await lanesThat('next_at is null and owner is null')).toEqual(idsOf(empty).sort());
  // What was looked at and not taken is as it was: due, nobody's, with all its tokens.
  expect(await lanesThat('next_at is not null and owner is null and epoch = 0 and tokens = 1000')).toEqual(
    idsOf(waiting.slice(4)).sort(),
  );
  expect((await taken({ lanes: 30, jobs: 4 })).sort()).toEqual(idsOf(waiting.slice(4, 8)).sort());
  expect((await taken({ lanes: 30, jobs: 4 })).sort()).toEqual(idsOf(waiting.slice(8)).sort());
  expect((await store.claim({ lanes: 30, jobs: 4 })).lanes).toBe(0);
});
