import type { Client } from 'pg';
import { newId } from '../../src/common/ids';
import { ACCEPT } from '../../src/modules/messages/acceptance';
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

/** Takes a message into the queue, as the service does. */
async function accept({ tenantId, id }: TestSession): Promise<void> {
  const columns = [tenantId, newId(), id, '5511988880000@c.us', 'hello', '{}', '{}', newId(), 'text', null, null];
  await doors.batch.query(
    [tenantId],
    ACCEPT,
    columns.map((value) => [value]),
  );
}

const idsOf = (sessions: readonly { id: string }[]): string[] => sessions.map(({ id }) => id).sort();
const taken = async (limit: number): Promise<string[]> =>
  (await store.claim(limit)).jobs.map(({ session_id }) => session_id).sort();

async function lanesThat(condition: string): Promise<string[]> {
  const { rows } = await owner.query<{ id: string }>(`select session_id as id from lanes where ${condition}`);
  return idsOf(rows);
}

it('due lanes with nothing to send are put to rest together, and the others stay free to be claimed', async () => {
  const { empty, waiting } = await dueLanes(30);
  expect(await store.rest(30)).toBe(20);
  expect(await lanesThat('next_at is null and owner is null')).toEqual(idsOf(empty));
  // What has something to send is as it was: due, nobody's, with all its tokens.
  expect(await lanesThat('next_at is not null and owner is null and epoch = 0 and tokens = 1000')).toEqual(
    idsOf(waiting),
  );
  expect(await store.rest(30)).toBe(0);
  expect(await taken(4)).toEqual(idsOf(waiting.slice(0, 4)));
  expect(await taken(30)).toEqual(idsOf(waiting.slice(4)));
});

it('looking for empty lanes holds none that another could send from, and waits for none', async () => {
  const { waiting } = await dueLanes(9);
  const other = await db.owner();
  await other.query('begin');
  const [held] = waiting;
  await other.query('select from lanes where session_id = $1 for update', [held?.id]);
  expect(await store.rest(9)).toBe(6);
  expect(await taken(9)).toEqual(idsOf(waiting.slice(1)));
  await other.query('rollback');
  await other.end();
  expect(await taken(9)).toEqual(idsOf(waiting.slice(0, 1)));
});

it('a lane that is put to rest while a message is accepted for it is awake', async () => {
  const make = new Factories(owner);
  const session = await make.session(await make.tenant(), { lane: 'open' });
  const asleep: number[] = [];
  for (let nth = 0; nth < 40; nth += 1) {
    await owner.query(`update messages set status = 'cancelled' where session_id = $1`, [session.id]);
    await owner.query(`update lanes set next_at = now() where session_id = $1`, [session.id]);
    await Promise.all([store.rest(1), accept(session)]);
    const awake = await lanesThat(`session_id = '${session.id}' and next_at <= now()`);
    if (awake.length === 0) asleep.push(nth);
  }
  expect(asleep).toEqual([]);
});
