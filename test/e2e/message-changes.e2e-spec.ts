import type { TestSession } from '../support/factories';
import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import * as door from '../support/webhook-door';
import { envelope, inbound } from '../support/webhooks';
import type { WireEvent, WireMessage } from '../support/whatsapp';

const ALICE = '5511888880000@c.us';
const BOB = '5511888881111@c.us';
const GROUP = '120363000000000001@g.us';
/** A whole second, as WhatsApp counts them. */
const NOW = Math.floor(Date.now() / 1000) * 1000;
const at = (seconds: number) => NOW + seconds * 1000;
const timeOf = (ms: number) => new Date(ms).toISOString();

let app: TestApp;
let admin: LoggedIn;

beforeAll(async () => {
  app = await startTestApp();
  admin = await app.login('TENANT_ADMIN');
});

afterAll(() => app.close());

const shown = async (id: string) => (await admin.http.get<WireMessage>(`/messages/${id}`)).body;
const historyOf = async (id: string) =>
  (await admin.http.get<WireEvent[]>(`/messages/${id}/events`)).body.slice(1).map(({ status, note }) => [status, note]);

/** Who does something, in which chat: the action's own id, as NOWEB and GOWS write it. */
interface Doer {
  fromMe?: boolean;
  chat?: string;
  participant?: string;
}
let actions = 0;
const doing = ({ fromMe = false, chat = ALICE, participant }: Doer) => ({
  id: [`${fromMe}_${chat}_ACTION${(actions += 1)}`, ...(participant ? [participant] : [])].join('_'),
  fromMe,
  from: chat,
  participant,
});

const post = async (session: TestSession, event: string, payload: object, timestamp: number) => {
  expect((await door.post(app, session, envelope(session, event, { payload, timestamp }))).status).toBe(200);
};
const edit = (session: TestSession, waId: string, [body, when]: [string, number], doer: Doer = {}) =>
  post(session, 'message.edited', { ...doing(doer), timestamp: when / 1000, body, editedMessageId: waId }, when);
const revoke = (session: TestSession, waId: string, when: number, doer: Doer = {}) => {
  const after = { ...doing(doer), timestamp: when / 1000 };
  return post(session, 'message.revoked', { after, before: null, revokedMessageId: waId }, when);
};
const react = (session: TestSession, waId: string, [text, when]: [string, number], doer: Doer = {}) => {
  const reaction = { text, messageId: `false_${doer.chat ?? ALICE}_${waId}` };
  return post(session, 'message.reaction', { ...doing(doer), timestamp: when / 1000, reaction }, when);
};
const outcomes = async (session: TestSession) =>
  (await door.settled(app, session)).map(({ status, note }) => [status, note]);

const made = () => app.make.session(app.tenantId);
const received = (session: TestSession, columns: object = {}) =>
  app.make.message(session, { wa_id: 'WA', direction: 'inbound', status: 'received', body: 'first', ...columns });
const sent = (session: TestSession, columns: object = {}) =>
  app.make.message(session, { wa_id: 'WA', status: 'delivered', attempts: 1, body: 'first', ...columns });

const APPLIED = ['applied', null];
const NOTHING_NEW = ['applied', 'nothing new'];
const REFUSED = ['ignored', 'not by who may do that to this message'];

describe('an edit', () => {
  it('changes the text, shows when, and leaves a trace without the words', async () => {
    const session = await made();
    const id = await received(session);
    expect(await shown(id)).not.toHaveProperty('edited_at');
    await edit(session, 'WA', ['second', at(0)]);
    expect(await outcomes(session)).toEqual([APPLIED]);
    expect(await shown(id)).toMatchObject({ text: 'second', status: 'received', edited_at: timeOf(at(0)) });
    expect(await historyOf(id)).toEqual([['received', 'edited']]);
    expect((await door.messagesOf(admin.http, session))[0]).toMatchObject({ text: 'second', edited_at: timeOf(at(0)) });
  });

  it('that is older than the one before it undoes nothing, nor does one told twice', async () => {
    const session = await made();
    const id = await sent(session);
    const mine = { fromMe: true };
    await edit(session, 'WA', ['third', at(20)], mine);
    await edit(session, 'WA', ['second', at(10)], mine);
    await edit(session, 'WA', ['third', at(20)], mine);
    expect(await outcomes(session)).toEqual([APPLIED, NOTHING_NEW, NOTHING_NEW]);
    expect(await shown(id)).toMatchObject({ text: 'third', status: 'delivered', edited_at: timeOf(at(20)) });
    expect(await historyOf(id)).toEqual([['delivered', 'edited']]);
  });

  it('back to what it said keeps the later time, so that what lay in between comes too late', async () => {
    const session = await made();
    const id = await received(session);
    await edit(session, 'WA', ['second', at(0)]);
    await edit(session, 'WA', ['second', at(20)]);
    await edit(session, 'WA', ['in between', at(10)]);
    expect(await outcomes(session)).toEqual([APPLIED, NOTHING_NEW, NOTHING_NEW]);
    expect(await shown(id)).toMatchObject({ text: 'second', edited_at: timeOf(at(20)) });
  });

  it('within the same second is the one that WAHA told last', async () => {
    const session = await made();
    const id = await received(session);
    const told = (body: string, ms: number) =>
      post(
        session,
        'message.edited',
        { ...doing({}), timestamp: at(0) / 1000, body, editedMessageId: 'WA' },
        at(0) + ms,
      );
    await told('later', 800);
    await told('earlier', 300);
    expect(await outcomes(session)).toEqual([APPLIED, NOTHING_NEW]);
    expect(await shown(id)).toMatchObject({ text: 'later' });
  });

  it('that comes before its message waits for it; of a message that never comes it is ignored', async () => {
    const session = await made();
    await edit(session, 'EARLY', ['second', at(0)]);
    await edit(session, 'NEVER', ['x', at(0)]);
    await eventually(async () => {
      const { rows } = await app.owner.query<{ note: string | null }>(door.EVENTS, [session.id]);
      return rows.every(({ note }) => note === 'no such message yet');
    });
    await post(session, 'message', inbound('EARLY', 'first'), at(0));
    const early = async () => (await door.messagesOf(admin.http, session))[0]?.text === 'second';
    await eventually(early, { what: 'the early edit' });
    await app.owner.query(
      `update webhook_events set received_at = now() - interval '2 minutes' where session_id = $1 and status = 'pending'`,
      [session.id],
    );
    expect(await outcomes(session)).toEqual([APPLIED, ['ignored', 'no such message'], APPLIED]);
  });

  it('waits for the answer of the send, and in the end shows that WhatsApp has the message', async () => {
    const session = await made();
    const id = await sent(session, { status: 'unknown', error_code: 'WAHA_TIMEOUT' });
    await edit(session, 'WA', ['second', at(0)], { fromMe: true });
    await eventually(async () => {
      const { rows } = await app.owner.query<{ note: string | null }>(door.EVENTS, [session.id]);
      return rows[0]?.note === 'its send has not been answered yet';
    });
    expect(await shown(id)).toMatchObject({ text: 'first', status: 'unknown' });
    await app.owner.query(
      `update webhook_events set received_at = now() - interval '2 minutes' where session_id = $1`,
      [session.id],
    );
    expect(await outcomes(session)).toEqual([APPLIED]);
    expect(await shown(id)).toMatchObject({ text: 'second', status: 'sent', error_code: null });
  });

  it('by somebody else, or without words, changes nothing', async () => {
    const session = await made();
    const id = await sent(session);
    const inGroup = await received(session, { wa_id: 'GROUP', chat: GROUP, author: ALICE });
    await edit(session, 'WA', ['forged', at(0)]);
    await edit(session, 'GROUP', ['forged', at(0)], { chat: GROUP, participant: BOB });
    await edit(session, 'WA', ['', at(0)], { fromMe: true });
    const without = ['ignored', 'no message id or no text in it'];
    expect(await outcomes(session)).toEqual([REFUSED, REFUSED, without]);
    for (const each of [id, inGroup]) expect((await shown(each)).text).toBe('first');
  });

  it('touches no message of another session', async () => {
    const [one, two] = [await made(), await app.make.session(await app.make.tenant())];
    const id = await received(one);
    await received(two);
    await edit(two, 'WA', ['second', at(0)]);
    expect(await outcomes(two)).toEqual([APPLIED]);
    expect((await shown(id)).text).toBe('first');
  });
});

describe('a revocation', () => {
  it('takes what the message said, and leaves that it was there', async () => {
    const session = await made();
    const content = { media: { mimetype: 'image/png', filename: 'a.png' } };
    const id = await received(session, { content, type: 'image' });
    await revoke(session, 'WA', at(0));
    await revoke(session, 'WA', at(5));
    await edit(session, 'WA', ['back again', at(10)]);
    expect(await outcomes(session)).toEqual([APPLIED, NOTHING_NEW, NOTHING_NEW]);
    const expected = { text: null, media: null, type: 'image', status: 'received', revoked_at: timeOf(at(0)) };
    expect(await shown(id)).toMatchObject(expected);
    expect(await historyOf(id)).toEqual([['received', 'revoked']]);
  });

  it('of one of ours, on the phone, leaves its status; it moves on and is not sent again', async () => {
    const session = await made();
    const id = await sent(session, { status: 'stalled', created_by: admin.userId });
    await revoke(session, 'WA', at(0), { fromMe: true });
    expect(await outcomes(session)).toEqual([APPLIED]);
    expect(await shown(id)).toMatchObject({ text: null, status: 'stalled', revoked_at: timeOf(at(0)) });
    const retried = await admin.http.post<{ error: string }>(`/messages/${id}/retry`, { force: true });
    expect([retried.outcome, retried.text]).toEqual(['409 MESSAGE_STATE', expect.stringContaining('revoked')]);
    await post(session, 'message.ack', { id: `true_${ALICE}_WA`, ack: 2 }, at(1));
    await door.settled(app, session);
    expect(await shown(id)).toMatchObject({ text: null, status: 'delivered' });
  });

  it('in a group may be an administrator’s; in a chat of two it is the author’s', async () => {
    const session = await made();
    const inGroup = await received(session, { wa_id: 'GROUP', chat: GROUP, author: ALICE });
    const id = await sent(session);
    await revoke(session, 'GROUP', at(0), { chat: GROUP, participant: BOB });
    await revoke(session, 'WA', at(0));
    expect(await outcomes(session)).toEqual([APPLIED, REFUSED]);
    expect(await historyOf(inGroup)).toEqual([['received', 'revoked by an administrator of the group']]);
    expect(await shown(id)).toMatchObject({ text: 'first' });
  });

  it('sends nothing blank: what has not left, as far as is known, is not queued again', async () => {
    const session = await made();
    const id = await sent(session, { status: 'queued', attempts: 1, wa_id_reserved: true });
    await revoke(session, 'WA', at(0), { fromMe: true });
    await app.owner.query(
      `update webhook_events set received_at = now() - interval '2 minutes' where session_id = $1`,
      [session.id],
    );
    expect(await outcomes(session)).toEqual([APPLIED]);
    expect(await shown(id)).toMatchObject({ text: null, status: 'sent' });
  });
});

describe('reactions', () => {
  it('are one for each who reacts, the latest, and gone when they are taken back', async () => {
    const session = await made();
    const id = await received(session, { chat: GROUP, author: ALICE });
    const [alice, bob] = [
      { chat: GROUP, participant: ALICE },
      { chat: GROUP, participant: BOB },
    ];
    await react(session, 'WA', ['👍', at(0)], bob);
    await react(session, 'WA', ['🙏', at(10)], bob);
    await react(session, 'WA', ['❤️', at(5)], { chat: GROUP, fromMe: true });
    await react(session, 'WA', ['😂', at(1)], alice);
    await react(session, 'WA', ['', at(20)], alice);
    expect(await outcomes(session)).toEqual(Array(5).fill(APPLIED));
    expect((await shown(id)).reactions).toEqual([
      { emoji: '❤️', from: 'me', at: timeOf(at(5)) },
      { emoji: '🙏', from: BOB, at: timeOf(at(10)) },
    ]);
    expect((await door.messagesOf(admin.http, session))[0]).not.toHaveProperty('reactions');
    expect(await historyOf(id)).toEqual([]);
  });

  it('that are older than what is known bring nothing back', async () => {
    const session = await made();
    const id = await sent(session);
    await react(session, 'WA', ['', at(10)]);
    await react(session, 'WA', ['👍', at(0)]);
    await react(session, 'WA', ['', at(10)]);
    expect(await outcomes(session)).toEqual([APPLIED, NOTHING_NEW, NOTHING_NEW]);
    expect(await shown(id)).not.toHaveProperty('reactions');
  });

  it('are one person’s, whichever of the two ids of the chat they name', async () => {
    const session = await made();
    const id = await sent(session);
    await react(session, 'WA', ['👍', at(0)]);
    await react(session, 'WA', ['🙏', at(10)], { chat: '98765432109876@lid' });
    await door.settled(app, session);
    expect((await shown(id)).reactions).toEqual([{ emoji: '🙏', from: ALICE, at: timeOf(at(10)) }]);
  });

  it('are no messages: nobody was heard, and what waits for the chat goes on waiting', async () => {
    const session = await made();
    await sent(session);
    const waiting = await app.make.message(session, { first_contact: true });
    await react(session, 'WA', ['👍', at(0)]);
    await react(session, 'ELSEWHERE', ['👍', at(0)], { chat: GROUP, participant: BOB });
    await react(session, 'WA', ['👍', at(0)], { chat: GROUP, participant: BOB });
    await app.owner.query(
      `update webhook_events set received_at = now() - interval '2 minutes' where session_id = $1`,
      [session.id],
    );
    expect(await outcomes(session)).toEqual([APPLIED, ['ignored', 'no such message'], REFUSED]);
    expect(await door.messagesOf(admin.http, session)).toHaveLength(2);
    const { rows } = await app.owner.query(
      `select s.last_inbound_at, m.first_contact, m.urgency, (select count(*)::int from chats where session_id = s.id) as chats
        from sessions s join messages m on m.session_id = s.id and m.id = $2 where s.id = $1`,
      [session.id, waiting],
    );
    expect(rows).toEqual([{ last_inbound_at: null, first_contact: true, urgency: 1, chats: 0 }]);
  });
});
