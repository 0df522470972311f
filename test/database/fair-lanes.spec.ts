import type { Client } from 'pg';
import { newId } from '../../src/common/ids';
import { LaneStore } from '../../src/modules/messages/lanes/lane-store.service';
import type { SlotParams } from '../../src/platform/loops/keyed-slots';
import { freshDatabase, type TestDatabase } from '../support/database';
import { Factories, type TestSession } from '../support/factories';
import { type Doors, openDoors } from './database.harness';

/** What a worker claims in one round. */
const ROUND = 50;
const EACH = 100;

let db: TestDatabase;
let owner: Client;
let doors: Doors;
let store: LaneStore;
let make: Factories;

beforeAll(async () => {
  db = await freshDatabase();
  owner = await db.owner();
  doors = await openDoors(db, 2);
  store = new LaneStore(doors.system, { workerId: newId(), wake: () => undefined } as never);
  make = new Factories(owner);
});

afterEach(async () => {
  await owner.query('delete from messages');
  await owner.query('delete from sessions');
});

afterAll(async () => {
  await doors.close();
  await owner.end();
  await db.drop();
});

async function server(): Promise<string> {
  const id = newId();
  await owner.query(`insert into waha_servers (id, base_url) values ($1, $2)`, [id, `http://${id}.invalid`]);
  return id;
}

/** A lane with a message, due for so many seconds. */
async function dueLane(tenantId: string, forS: number, serverId?: string): Promise<TestSession> {
  const session = await make.session(tenantId, { lane: 'open', serverId });
  await make.message(session);
  await owner.query(`update lanes set next_at = now() - $2 * interval '1 second' where session_id = $1`, [
    session.id,
    forS,
  ]);
  return session;
}

/** So many lanes like this one, due as long, each with a message. */
async function many({ id }: TestSession, count: number): Promise<void> {
  await owner.query(
    `with made as (
      insert into sessions (tenant_id, id, server_id, name, waha_name, webhook_secret)
      select tenant_id, gen_random_uuid(), server_id, 'due ' || n || id, 'due_' || n || id, 'none'
      from sessions, generate_series(1, $2) n where id = $1 returning tenant_id, id, server_id),
    lane as (
      insert into lanes (tenant_id, session_id, server_id, state, per_minute, burst, jitter_ms, tokens, daily_cap,
        first_contacts_per_day, next_at)
      select made.tenant_id, made.id, made.server_id, 'open', 60000, 1000, 0, 1000, 1000000, 1000000, l.next_at
      from made, lanes l where l.session_id = $1)
    insert into messages (tenant_id, id, session_id, chat, direction, type, status, body)
    select tenant_id, gen_random_uuid(), id, '5511988880000@c.us', 'outbound', 'text', 'queued', 'one of many' from made`,
    [id, count],
  );
}

const claim = async (servers?: SlotParams) => (await store.claim(ROUND, servers)).jobs;
const sessionsOf = (jobs: { session_id: string }[]) => jobs.map(({ session_id }) => session_id);

describe('a tenant of which 5,000 lanes are due', () => {
  it('delays the single message of another tenant by no round, also of one that comes after it', async () => {
    await many(await dueLane(await make.tenant(), 60), 5_000);
    const [before, after] = [await make.tenant(), await make.tenant()].sort();
    const crowd = await dueLane(await make.tenant(), 60);
    await many(crowd, 5_000);
    const newest = [await dueLane(String(before), 0), await dueLane(String(after), 0)];
    await owner.query('analyze');
    const jobs = await claim();
    expect(jobs).toHaveLength(ROUND);
    for (const { id } of newest) expect(sessionsOf(jobs)).toContain(id);
  });

  it('shares its rounds with tenants that have several', async () => {
    await many(await dueLane(await make.tenant(), 60), 5_000);
    const other = await make.tenant();
    const few = [await dueLane(other, 0), await dueLane(other, 0), await dueLane(other, 0)];
    expect(sessionsOf(await claim())).toEqual(expect.arrayContaining(few.map(({ id }) => id)));
  });
});

describe('the lanes of a server that has no slot', () => {
  it('are not claimed, however long they are due, and hide no lane of another server of the same tenant', async () => {
    const [hanging, fine] = [await server(), await server()];
    const tenantId = await make.tenant();
    await many(await dueLane(tenantId, 60, hanging), 2_000);
    const neighbour = await dueLane(tenantId, 0, fine);
    const full: SlotParams = [[hanging], [EACH], EACH];
    expect(sessionsOf(await claim(full))).toEqual([neighbour.id]);
    expect(await claim(full)).toEqual([]);
    expect(await store.nextDueMs(full)).toBeNull();
    expect(await store.nextDueMs([[hanging], [EACH - 1], EACH])).toBeLessThan(0);
  });

  it('are claimed as far as it has slots again, and those of others beside them', async () => {
    const [slow, fine] = [await server(), await server()];
    await many(await dueLane(await make.tenant(), 60, slow), 200);
    await many(await dueLane(await make.tenant(), 30, fine), 200);
    const jobs = await claim([[slow], [EACH - 3], EACH]);
    expect(jobs.filter(({ server_id }) => server_id === slow)).toHaveLength(3);
    expect(jobs).toHaveLength(ROUND);
  });
});

describe('the sessions to catch up of a server that has no slot', () => {
  it('wait, and those of others are caught up', async () => {
    const [hanging, fine] = [await server(), await server()];
    const tenantId = await make.tenant();
    for (let nth = 0; nth < 6; nth += 1) await make.session(tenantId, { serverId: hanging });
    const { id } = await make.session(tenantId, { serverId: fine });
    await owner.query(`update sessions set catch_up_from = now(), catch_up_at = now() - interval '1 minute'`);
    const take = (servers: SlotParams) =>
      doors.system.run<{ server_id: string; session_id: string }>('takeCatchUps', [60_000, ...servers]);
    expect((await take([[hanging], [4], 4])).map(({ session_id }) => session_id)).toEqual([id]);
    expect(await take([[hanging], [3], 4])).toMatchObject([{ server_id: hanging }]);
    expect(await take([[], [], 4])).toHaveLength(4);
  });
});

describe('the hidden ids of a server that has no slot', () => {
  it('wait, and those of others are asked for', async () => {
    const [hanging, fine] = [await server(), await server()];
    const tenantId = await make.tenant();
    const chats = async ({ id }: TestSession, count: number) =>
      owner.query(
        `insert into chats (tenant_id, session_id, chat) select $1, $2, n || '@lid' from generate_series(1, $3) n`,
        [tenantId, id, count],
      );
    await chats(await make.session(tenantId, { serverId: hanging }), 30);
    await chats(await make.session(tenantId, { serverId: fine }), 2);
    const take = (servers: SlotParams) => doors.system.run<{ server_id: string }>('takeHiddenIds', [200, ...servers]);
    const taken = await take([[hanging], [19], 20]);
    expect(taken.map(({ server_id }) => server_id).sort()).toEqual([hanging, fine, fine].sort());
    expect(await take([[hanging], [20], 20])).toEqual([]);
  });
});

describe('the unknown outcomes of a server that has no slot', () => {
  const unknown = async (serverId: string, forS: number) => {
    const session = await make.session(await make.tenant(), { serverId });
    const settle_at = new Date(Date.now() - forS * 1_000);
    await make.message(session, { status: 'unknown', attempts: 1, attempted_at: settle_at, settle_at });
  };

  it('wait, and those of others are asked for', async () => {
    const [hanging, fine] = [await server(), await server()];
    for (let nth = 0; nth < 30; nth += 1) await unknown(hanging, 60);
    await unknown(fine, 1);
    const taken = await store.takeUnsettled([[hanging], [18], 20], 25_000);
    expect(taken.map(({ server_id }) => server_id).sort()).toEqual([hanging, hanging, fine].sort());
    expect(await store.takeUnsettled([[hanging], [20], 20], 25_000)).toEqual([]);
    expect(await store.takeUnsettled([[], [], 20], 25_000)).toHaveLength(20);
  });
});
