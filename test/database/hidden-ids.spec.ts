import type { Client } from 'pg';
import { newId } from '../../src/common/ids';
import { ChatAliasesRepository } from '../../src/modules/messages/chats/chat-aliases.repository';
import { ChatAliases } from '../../src/modules/messages/chats/chat-aliases.service';
import { LaneStore } from '../../src/modules/messages/lanes/lane-store.service';
import { freshDatabase, type TestDatabase } from '../support/database';
import { Factories, type TestSession } from '../support/factories';
import { type Doors, openDoors } from './database.harness';

const PHONE = '5511988880000@c.us';
const HIDDEN = '98765432109876@lid';

let db: TestDatabase;
let owner: Client;
let doors: Doors;

beforeAll(async () => {
  db = await freshDatabase();
  owner = await db.owner();
  doors = await openDoors(db, 4);
});

afterAll(async () => {
  await doors.close();
  await owner.end();
  await db.drop();
});

/** A session that knows somebody by a hidden id only. */
async function sessionThatKnows(): Promise<TestSession> {
  const make = new Factories(owner);
  const session = await make.session(await make.tenant(), { lane: 'open' });
  await knows(session);
  return session;
}

const knows = ({ tenantId, id }: TestSession) =>
  owner.query(`insert into chats (tenant_id, session_id, chat) values ($1, $2, $3)`, [tenantId, id, HIDDEN]);

async function rowsOf<T>(text: string, session: TestSession): Promise<T[]> {
  return (await owner.query(text, [session.id])).rows as T[];
}

describe('hidden ids without a phone', () => {
  const taken = async (session: TestSession) =>
    (await doors.system.run<{ session_id: string; works: boolean }>('takeHiddenIds', [100, [], [], 100])).filter(
      ({ session_id }) => session_id === session.id,
    );
  const pauseOf = (session: TestSession) =>
    rowsOf<{ asked: number; minutes: number }>(
      `select asked, round(extract(epoch from ask_at - now()) / 60)::int as minutes from chats where session_id = $1`,
      session,
    );
  const dueAgain = (session: TestSession) =>
    owner.query(`update chats set ask_at = now() where session_id = $1`, [session.id]);

  it('are asked for at once, and then after pauses that grow to a day', async () => {
    const session = await sessionThatKnows();
    const pauses: number[] = [];
    for (let n = 0; n < 8; n += 1) {
      expect(await taken(session)).toMatchObject([{ chat: HIDDEN, works: true }]);
      expect(await taken(session)).toEqual([]);
      pauses.push((await pauseOf(session))[0]?.minutes ?? 0);
      await dueAgain(session);
    }
    expect(pauses).toEqual([1, 4, 16, 64, 256, 1024, 1440, 1440]);
  });

  it('are taken by one worker', async () => {
    const session = await sessionThatKnows();
    const both = await Promise.all([taken(session), taken(session)]);
    expect(both.flat()).toHaveLength(1);
  });

  it('wait while their session does not work, and are not asked for when it is deleted', async () => {
    const session = await sessionThatKnows();
    await owner.query(`update sessions set status = 'STOPPED' where id = $1`, [session.id]);
    expect(await taken(session)).toMatchObject([{ works: false }]);
    expect(await pauseOf(session)).toEqual([{ asked: 0, minutes: 10 }]);
    await dueAgain(session);
    await owner.query(`update sessions set desired = 'deleted' where id = $1`, [session.id]);
    await taken(session);
    expect(await pauseOf(session)).toEqual([{ asked: 0, minutes: null }]);
  });

  it('are none that have one', async () => {
    const session = await sessionThatKnows();
    const key = { tenantId: session.tenantId, sessionId: session.id };
    const aliases = new ChatAliases(new ChatAliasesRepository(doors.tenant));
    await aliases.learnAlone(key, [{ alias: HIDDEN, chat: PHONE, at: new Date(), named: true }]);
    await new Factories(owner).message(session, { chat: PHONE, first_contact: true });
    await owner.query(`update lanes set next_at = now() where session_id = $1`, [session.id]);
    const store = new LaneStore(doors.system, { workerId: newId(), wake: () => undefined } as never);
    expect((await store.claim(50)).jobs).toMatchObject([{ chat: PHONE }]);
    expect(await taken(session)).toEqual([]);
    expect(await rowsOf(`select chat from chats where session_id = $1`, session)).toEqual([{ chat: PHONE }]);
  });
});
