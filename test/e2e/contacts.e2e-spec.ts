import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import {
  becomes,
  createSession,
  NO_PACE,
  scan,
  send,
  sendsOf,
  type WireMessage,
  type WireSession,
  workingSession,
} from '../support/whatsapp';

const BOB = '5511988880001@c.us';
const BOB_HIDDEN = '98765432100001@lid';
const CAROL = '551188880002@c.us';
const CAROL_AS_WRITTEN = '5511988880002@c.us';
const ERIN = '551188880004@c.us';
const ERIN_AS_WRITTEN = '5511988880004@c.us';
const DAVE = '5511988880003@c.us';
const DAVE_HIDDEN = '98765432100003@lid';

// NOWEB and GOWS name the phone with the message; of WEBJS it is asked.
describe.each(['NOWEB', 'GOWS', 'WEBJS'] as const)('somebody who has several ids, with %s', (engine) => {
  let app: TestApp;
  let admin: LoggedIn;
  beforeAll(async () => {
    app = await startTestApp({ simulator: { engine } });
    admin = await app.login('TENANT_ADMIN');
  });
  afterAll(() => app.close());

  const phone = (session: WireSession, what: string, body: object) =>
    app.simulator.post(`/simulator/sessions/${session.waha_name}/${what}`, body);

  const chatOf = async (session: WireSession, chat: string) => {
    const query = `session_id=${session.id}&chat=${encodeURIComponent(chat)}&count=true`;
    const { body, headers } = await admin.http.get<WireMessage[]>(`/messages?${query}`);
    expect(headers.get('x-total-count')).toBe(String(body.length));
    return body.map(({ text }) => text);
  };

  const chatBecomes = (session: WireSession, chat: string, texts: string[]) =>
    eventually(async () => expect(await chatOf(session, chat)).toEqual(texts), { what: `the chat of ${chat}` });

  it('is no first contact once a hidden id of theirs has written, and both ids are one chat', async () => {
    const made = await createSession(admin.http, 'Shy', { ...NO_PACE, first_contacts_per_day: 1 });
    const session = await scan(app, admin.http, made);
    const other = await send(admin.http, { session_id: session.id, to: '5511988880009', text: 'the first contact' });
    await becomes(admin.http, other.id, 'sent', 'delivered', 'read');
    const waiting = await send(admin.http, { session_id: session.id, to: BOB, text: 'are you there?' });
    expect((await admin.http.get<WireMessage>(`/messages/${waiting.id}`)).body.status).toBe('queued');
    await phone(session, 'inbound', { from: BOB, lid: BOB_HIDDEN, text: 'hello' });
    await becomes(admin.http, waiting.id, 'read');
    const reply = await send(admin.http, { session_id: session.id, to: BOB_HIDDEN, text: 'good' });
    expect(reply.chat).toBe(BOB);
    await becomes(admin.http, reply.id, 'read'); // acked under the hidden id
    for (const id of [BOB, BOB_HIDDEN]) await chatBecomes(session, id, ['good', 'hello', 'are you there?']);
    expect((await sendsOf(app, session)).map(({ chatId }) => chatId)).toEqual(['5511988880009@c.us', BOB, BOB]);
    const { today } = (await admin.http.get<WireSession>(`/waha/sessions/${session.id}`)).body;
    expect(today).toEqual({ sent: 3, first_contacts: 1 });
  }, 40_000);

  it('is one chat in both spellings of their number, the one that WhatsApp answers with', async () => {
    const session = await workingSession(app, admin.http, 'Spelling');
    await phone(session, 'person', { phone: CAROL, written: CAROL_AS_WRITTEN });
    const first = await send(admin.http, { session_id: session.id, to: CAROL_AS_WRITTEN, text: 'one' });
    await becomes(admin.http, first.id, 'read');
    await phone(session, 'inbound', { from: CAROL, text: 'two' });
    for (const id of [CAROL, CAROL_AS_WRITTEN]) await chatBecomes(session, id, ['two', 'one']);
    const second = await send(admin.http, { session_id: session.id, to: CAROL_AS_WRITTEN, text: 'three' });
    expect(second.chat).toBe(CAROL);
    await becomes(admin.http, second.id, 'read');
    expect((await sendsOf(app, session)).map(({ chatId }) => chatId)).toEqual([CAROL, CAROL]);
    const answered = await send(admin.http, { session_id: session.id, to: CAROL, text: 'four', reply_to: first.id });
    await becomes(admin.http, answered.id, 'read');
  }, 30_000);

  it('is one chat in both spellings also where only the acks show it', async () => {
    const session = await workingSession(app, admin.http, 'Acks');
    await phone(session, 'person', { phone: ERIN, written: ERIN_AS_WRITTEN });
    await app.simulator.call('PUT', '/simulator/faults', { unknown_numbers: [ERIN_AS_WRITTEN.replace('@c.us', '')] });
    const first = await send(admin.http, { session_id: session.id, to: ERIN_AS_WRITTEN, text: 'one' });
    await becomes(admin.http, first.id, 'read');
    await phone(session, 'inbound', { from: ERIN, text: 'two' });
    for (const id of [ERIN, ERIN_AS_WRITTEN]) await chatBecomes(session, id, ['two', 'one']);
    const second = await send(admin.http, { session_id: session.id, to: ERIN_AS_WRITTEN, text: 'three' });
    await becomes(admin.http, second.id, 'read');
    expect((await sendsOf(app, session)).map(({ chatId }) => chatId)).toEqual([ERIN_AS_WRITTEN, ERIN]);
  }, 30_000);

  it('is known by their hidden id until WAHA knows their phone', async () => {
    const session = await workingSession(app, admin.http, 'Hidden');
    await phone(session, 'inbound', { from: DAVE_HIDDEN, text: 'who am I?' });
    await chatBecomes(session, DAVE_HIDDEN, ['who am I?']);
    const reply = await send(admin.http, { session_id: session.id, to: DAVE_HIDDEN, text: 'who knows' });
    await becomes(admin.http, reply.id, 'read');
    const asked = `select asked from chats where session_id = $1 and chat = $2 and asked > 0`;
    const isAsked = async () => (await app.owner.query(asked, [session.id, DAVE_HIDDEN])).rowCount === 1;
    await eventually(isAsked, { what: 'WAHA to be asked' });
    expect(await chatOf(session, DAVE)).toEqual([]);
    await phone(session, 'person', { phone: DAVE, lid: DAVE_HIDDEN });
    await app.owner.query(`update chats set ask_at = now() where session_id = $1`, [session.id]);
    for (const id of [DAVE, DAVE_HIDDEN]) await chatBecomes(session, id, ['who knows', 'who am I?']);
    const known = await send(admin.http, { session_id: session.id, to: DAVE, text: 'now I do' });
    await becomes(admin.http, known.id, 'read');
    const { today } = (await admin.http.get<WireSession>(`/waha/sessions/${session.id}`)).body;
    expect(today).toEqual({ sent: 2, first_contacts: 0 });
  }, 30_000);
});
