import type { Client } from 'pg';
import { newId } from '../../src/common/ids';
import { ACCEPT, ACCEPT_WITHIN_LIMITS } from '../../src/modules/messages/acceptance';
import { ChatAliasesRepository } from '../../src/modules/messages/chats/chat-aliases.repository';
import { ChatAliases } from '../../src/modules/messages/chats/chat-aliases.service';
import type { LaneJob } from '../../src/modules/messages/lanes/lane-job';
import { LaneStore } from '../../src/modules/messages/lanes/lane-store.service';
import { outcomeOf } from '../../src/modules/messages/lanes/outcome';
import { MessageActionsRepository } from '../../src/modules/messages/message-actions.repository';
import { MessagesRepository } from '../../src/modules/messages/messages.repository';
import { WahaFailure } from '../../src/modules/waha/waha.errors';
import { blocksSomebody } from '../support/blocked';
import { freshDatabase, type TestDatabase } from '../support/database';
import { Factories, type TestSession } from '../support/factories';
import { type Doors, openDoors } from './database.harness';

const PHONE = '5511988880000@c.us';
const SHORT = '551188880000@c.us';
const HIDDEN = '98765432109876@lid';
const AT = new Date('2026-11-24T12:00:00Z');
const WORKER = newId();

let db: TestDatabase;
let owner: Client;
let doors: Doors;
let make: Factories;
let aliases: ChatAliases;
let store: LaneStore;

beforeAll(async () => {
  db = await freshDatabase();
  owner = await db.owner();
  doors = await openDoors(db, 4);
  make = new Factories(owner);
  aliases = new ChatAliases(new ChatAliasesRepository(doors.tenant));
  store = new LaneStore(doors.system, { workerId: WORKER, wake: () => undefined } as never);
});

afterAll(async () => {
  await doors.close();
  await owner.end();
  await db.drop();
});

const openSession = async (): Promise<TestSession> => make.session(await make.tenant(), { lane: 'open' });
const keyOf = ({ tenantId, id }: TestSession) => ({ tenantId, sessionId: id });
const hiddenOf = (chat: string, at = AT) => ({ alias: HIDDEN, chat, at, named: true });
const learn = (session: TestSession, told = hiddenOf(PHONE)) => aliases.learnAlone(keyOf(session), [told]);

function accept({ tenantId, id }: TestSession, chat: string, limits = false): Promise<{ id: string; chat: string }[]> {
  const content = ['hello', '{}', '{}', newId(), 'text', null, null];
  const row = [tenantId, newId(), id, chat, ...content, ...(limits ? [1_000, '2026-11-24'] : [])];
  const text = limits ? ACCEPT_WITHIN_LIMITS : ACCEPT;
  return doors.batch.query(
    [tenantId],
    text,
    row.map((value) => [value]),
  );
}

async function rowsOf<T>(text: string, session: TestSession): Promise<T[]> {
  return (await owner.query(text, [session.id])).rows as T[];
}

const chatsOf = (session: TestSession) =>
  rowsOf<{ chat: string; known_at: Date; last_inbound_at: Date | null }>(
    `select chat, known_at, last_inbound_at from chats where session_id = $1 order by chat`,
    session,
  );

const aliasesOf = async (session: TestSession) =>
  (
    await rowsOf<{ alias: string; chat: string }>(
      `select alias, chat from chat_aliases where session_id = $1 order by alias`,
      session,
    )
  ).map(({ alias, chat }) => [alias, chat]);

const messageChats = async (session: TestSession) =>
  (await rowsOf<{ chat: string }>(`select chat from messages where session_id = $1 order by seq`, session)).map(
    ({ chat }) => chat,
  );

const knows = (session: TestSession, chat: string, known: string, heard: string | null) =>
  owner.query(
    `insert into chats (tenant_id, session_id, chat, known_at, last_inbound_at) values ($1, $2, $3, $4, $5)`,
    [session.tenantId, session.id, chat, known, heard],
  );

const claim = async (session: TestSession): Promise<LaneJob | undefined> =>
  (await store.claim(50)).jobs.find(({ session_id }) => session_id === session.id);

const due = (session: TestSession) =>
  owner.query(`update lanes set next_at = now(), pace_at = now() where session_id = $1`, [session.id]);

describe('two ids of one person', () => {
  it('become one chat: what is open moves, what is over stays where it was', async () => {
    const session = await openSession();
    await knows(session, PHONE, '2026-11-02', '2026-11-03');
    await knows(session, HIDDEN, '2026-11-01', '2026-11-04');
    const statuses = ['scheduled', 'queued', 'sending', 'unknown', 'sent', 'failed'];
    for (const status of statuses) await make.message(session, { status, chat: HIDDEN });
    await make.message(session, { status: 'received', direction: 'inbound', chat: HIDDEN });
    expect(await learn(session)).toEqual([PHONE]);
    expect(await messageChats(session)).toEqual([PHONE, PHONE, PHONE, PHONE, HIDDEN, HIDDEN, HIDDEN]);
    expect(await chatsOf(session)).toEqual([
      { chat: PHONE, known_at: new Date('2026-11-01'), last_inbound_at: new Date('2026-11-04') },
    ]);
    expect(await learn(session)).toEqual([]);
    expect(await aliasesOf(session)).toEqual([[HIDDEN, PHONE]]);
  });

  it('are learnt once by two who hear of them at the same time', async () => {
    const session = await openSession();
    await knows(session, HIDDEN, '2026-11-01', '2026-11-04');
    for (const chat of [HIDDEN, PHONE, HIDDEN]) await make.message(session, { chat });
    const learnt = await Promise.all(Array.from({ length: 4 }, () => learn(session)));
    expect(learnt.flat()).toEqual([PHONE]);
    expect(await messageChats(session)).toEqual([PHONE, PHONE, PHONE]);
    expect(await chatsOf(session)).toHaveLength(1);
    expect(await aliasesOf(session)).toEqual([[HIDDEN, PHONE]]);
  });

  it('lead to where the other spelling of the number leads, in whichever order that is learnt', async () => {
    const spelling = { alias: PHONE, chat: SHORT, at: AT, named: false };
    for (const told of [
      [hiddenOf(PHONE), spelling],
      [spelling, hiddenOf(PHONE)],
      [hiddenOf(PHONE), hiddenOf(SHORT)],
    ]) {
      const session = await openSession();
      for (const chat of [HIDDEN, PHONE, SHORT]) await make.message(session, { chat });
      await aliases.learnAlone(keyOf(session), told);
      expect(await aliasesOf(session)).toEqual([
        [PHONE, SHORT],
        [HIDDEN, SHORT],
      ]);
      expect(await messageChats(session)).toEqual([SHORT, SHORT, SHORT]);
    }
  });

  it('are no alias of the number that somebody gave up', async () => {
    const session = await openSession();
    const other = '5511977770000@c.us';
    await learn(session);
    await make.message(session, { chat: PHONE });
    expect(await learn(session, hiddenOf(other, new Date(AT.getTime() + 1)))).toEqual([other]);
    expect(await aliasesOf(session)).toEqual([[HIDDEN, other]]);
    expect(await messageChats(session)).toEqual([PHONE]);
    expect(await learn(session, hiddenOf(PHONE, AT))).toEqual([]);
  });

  it('are of that session, and of no other', async () => {
    const session = await openSession();
    const other = await make.session(session.tenantId, { lane: 'open' });
    await learn(session);
    expect((await accept(other, HIDDEN))[0]?.chat).toBe(HIDDEN);
    expect((await accept(session, HIDDEN))[0]?.chat).toBe(PHONE);
  });
});

describe('a message that is accepted', () => {
  it.each([
    ['without a limit', false],
    ['within a limit', true],
  ])('goes to the chat that was learnt while it waited for its lane, %s', async (_how, limits) => {
    const session = await openSession();
    await knows(session, PHONE, '2026-11-01', null);
    const learner = await db.owner();
    await learner.query('begin');
    await learner.query(`select from lanes where session_id = $1 for no key update`, [session.id]);
    const accepted = accept(session, HIDDEN, limits);
    await blocksSomebody(learner, 'the acceptance to wait for the lane');
    await learner.query(
      `insert into chat_aliases (tenant_id, session_id, alias, chat, told_at) values ($1, $2, $3, $4, now())`,
      [session.tenantId, session.id, HIDDEN, PHONE],
    );
    await learner.query('commit');
    await learner.end();
    expect(await accepted).toMatchObject([{ chat: PHONE }]);
    expect(await rowsOf(`select chat, first_contact from messages where session_id = $1`, session)).toEqual([
      { chat: PHONE, first_contact: false },
    ]);
  });

  it('is a reply to who wrote under the other id', async () => {
    const session = await openSession();
    await knows(session, HIDDEN, '2026-11-01', new Date().toISOString());
    await learn(session);
    await accept(session, PHONE);
    expect(await rowsOf(`select urgency, first_contact from messages where session_id = $1`, session)).toEqual([
      { urgency: 0, first_contact: false },
    ]);
  });

  it('waits with what WhatsApp refused to the other id', async () => {
    const session = await openSession();
    await accept(session, HIDDEN);
    const job = (await claim(session)) as LaneJob;
    const attempt = (await store.recordAttempt(job, null)) as number;
    await learn(session);
    const refusal = new WahaFailure('answered', 500, 'server returned error 463');
    const state = { burned: 0, strikes: 0, reserved: false, random: () => 0 };
    await store.finish(job, attempt, outcomeOf(refusal, state));
    await accept(session, PHONE);
    expect(
      await rowsOf(`select chat, first_contact from messages where session_id = $1 order by seq`, session),
    ).toEqual([
      { chat: PHONE, first_contact: true },
      { chat: PHONE, first_contact: true },
    ]);
  });

  it('is retried in the chat that its own has become', async () => {
    const session = await openSession();
    const id = await make.message(session, { chat: HIDDEN, status: 'failed', created_by: newId() });
    await learn(session);
    expect(await messageChats(session)).toEqual([HIDDEN]);
    expect(await new MessageActionsRepository(doors.tenant).retry(session.tenantId, id, ['failed'])).toBe(true);
    expect(await messageChats(session)).toEqual([PHONE]);
  });
});

describe('the order of a chat', () => {
  it('is one over both ids: an open attempt to either holds back the other', async () => {
    const session = await openSession();
    const first = await make.message(session, { chat: HIDDEN });
    const second = await make.message(session, { chat: PHONE });
    await due(session);
    const job = (await claim(session)) as LaneJob;
    expect(job.id).toBe(first);
    const attempt = (await store.recordAttempt(job, null)) as number;
    await learn(session);
    const doubt = { status: 'unknown', waId: null, errorCode: 'WAHA_TIMEOUT', error: null, delayMs: 0 } as const;
    await store.finish(job, attempt, { ...doubt, lane: 'go' });
    await due(session);
    expect(await claim(session)).toBeUndefined();
    await owner.query(`update messages set status = 'sent', settle_at = null where id = $1`, [first]);
    await due(session);
    expect((await claim(session))?.id).toBe(second);
  });
});

describe('a list of one chat', () => {
  it('finds what went under every id, newest first and page by page, whichever is asked for', async () => {
    const session = await openSession();
    const ids: string[] = [];
    for (const chat of [HIDDEN, PHONE, SHORT, HIDDEN, PHONE])
      ids.unshift(await make.message(session, { chat, status: 'sent' }));
    await make.message(session, { chat: '5511966660000@c.us', status: 'sent' });
    await aliases.learnAlone(keyOf(session), [hiddenOf(PHONE), hiddenOf(SHORT)]);
    const messages = new MessagesRepository(doors.tenant, new ChatAliasesRepository(doors.tenant));
    for (const chat of [HIDDEN, PHONE, SHORT])
      for (const filter of [{ chat }, { chat, sessionId: session.id }]) {
        const page = await messages.list(session.tenantId, filter, { limit: 2, count: false });
        expect(page.rows.map(({ id }) => id)).toEqual(ids.slice(0, 3));
        const rest = await messages.list(session.tenantId, filter, { limit: 20, cursor: ids[1], count: false });
        expect(rest.rows.map(({ id }) => id)).toEqual(ids.slice(2));
        expect(await messages.count(session.tenantId, filter, 100)).toEqual({ count: 5, all: true });
      }
  });
});
