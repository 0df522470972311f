import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import {
  becomes,
  createSession,
  historyOf,
  reaches,
  send,
  sendsOf,
  workingSession,
  type WireEvent,
  type WireMessage,
  type WireSession,
} from '../support/whatsapp';

const ALICE = '5511888880000@c.us';

describe.each(['NOWEB', 'GOWS', 'WEBJS'] as const)('a message through %s', (engine) => {
  let app: TestApp;
  let manager: LoggedIn;
  let session: WireSession;

  beforeAll(async () => {
    // Acks that come after the answer of their send, as WhatsApp's do: the order of the times is asserted.
    app = await startTestApp({ simulator: { engine, timing: { ackServer: 150, ackDevice: 300, ackRead: 450 } } });
    manager = await app.login('MANAGER');
    session = await workingSession(app, (await app.login('TENANT_ADMIN')).http);
  });

  afterAll(() => app.close());

  it('goes the whole way, once, with every step in its history and in order', async () => {
    const accepted = await send(manager.http, { session_id: session.id, to: ALICE, text: 'Hello' });
    expect(accepted).toMatchObject({
      status: 'queued',
      direction: 'outbound',
      chat: ALICE,
      text: 'Hello',
      attempts: 0,
    });
    expect(accepted.created_by).toBe(manager.userId);
    const read = await becomes(manager.http, accepted.id, 'read');
    expect(read).toMatchObject({ attempts: 1, error_code: null, error: null, source: 'api' });
    const times = [read.created_at, read.sent_at, read.delivered_at, read.read_at].map((time) =>
      Date.parse(time ?? ''),
    );
    expect(times).toEqual([...times].sort((a, b) => a - b));
    const { body: history } = await manager.http.get<WireEvent[]>(`/messages/${accepted.id}/events`);
    expect(history.map(({ status }) => status)).toEqual(['queued', 'sending', 'sent', 'delivered', 'read']);
    expect(history.map(({ at }) => at)).toEqual(history.map(({ at }) => at).sort());
    const sends = await sendsOf(app, session);
    expect(sends).toEqual([expect.objectContaining({ chatId: ALICE, text: 'Hello' })]);
  });

  it('of a group is acked and answered like any other', async () => {
    const group = '120363000000000001@g.us';
    const accepted = await send(manager.http, { to: group, text: 'Hello all' });
    expect((await becomes(manager.http, accepted.id, 'read')).chat).toBe(group);
  });

  it('that somebody writes to us is received, once', async () => {
    await app.simulator.post(`/simulator/sessions/${session.waha_name}/inbound`, {
      from: '5511777770000',
      text: 'Hi!',
    });
    const inbound = async () => {
      const { body } = await manager.http.get<WireMessage[]>('/messages?direction=inbound');
      return body;
    };
    const [message] = await eventuallyOne(inbound);
    expect(message).toMatchObject({ status: 'received', text: 'Hi!', chat: '5511777770000@c.us', created_by: null });
    expect(await historyOf(manager.http, message.id)).toEqual(['received']);
    // Who asks WAHA for what was missed may be faster than the event, and only that one tells that the session hears.
    const shown = () => manager.http.get<WireSession>(`/waha/sessions/${session.id}`);
    await eventually(async () => (await shown()).body.last_inbound_at !== null, { what: 'the session has heard' });
  });

  it('that the owner writes on the phone is shown as sent there', async () => {
    const body = { to: '5511777770001', text: 'From my phone' };
    await app.simulator.post(`/simulator/sessions/${session.waha_name}/phone-send`, body);
    const fromPhone = async () => {
      const { body: rows } = await manager.http.get<WireMessage[]>('/messages?chat=5511777770001');
      return rows;
    };
    const [message] = await eventuallyOne(fromPhone);
    expect(message).toMatchObject({ direction: 'outbound', source: 'app', created_by: null, text: 'From my phone' });
    expect((await historyOf(manager.http, message.id))[0]).toBe('sent');
    expect((await sendsOf(app, session)).filter(({ text }) => text === 'From my phone')).toEqual([]);
  });
});

async function eventuallyOne<T>(list: () => Promise<T[]>): Promise<[T]> {
  await eventually(async () => (await list()).length > 0);
  const [only, ...more] = await list();
  if (only === undefined || more.length > 0) throw new Error(`One was expected, and there were ${more.length + 1}`);
  return [only];
}

describe('messages', () => {
  let app: TestApp;
  let admin: LoggedIn;
  let session: WireSession;

  beforeAll(async () => {
    app = await startTestApp();
    admin = await app.login('TENANT_ADMIN');
    session = await workingSession(app, admin.http);
  });

  afterAll(() => app.close());

  const tenantWith = async (sessions: number) => {
    const tenantId = await app.make.tenant();
    const user = await app.login('TENANT_ADMIN', tenantId);
    for (let i = 0; i < sessions; i += 1) await app.make.session(tenantId);
    return user;
  };
  const refusal = async (body: object) => (await admin.http.post('/messages/send', body)).outcome;

  it.each([
    '+55 11 8888-8000',
    '005511888880001',
    '5511888880001',
    '+55 (11) 88888-0001',
    ' 5511888880001@c.us ',
    '5511888880001@S.WHATSAPP.NET',
    '98765432109876@lid',
    '120363000000000000@g.us',
    '5511888880001-1600000000@g.us',
  ])('take "%s" as a recipient', async (to) => {
    expect((await admin.http.post('/messages/send', { to, text: 'x' })).status).toBe(202);
  });

  it.each([
    '11 8888',
    'somebody',
    '12345@broadcast',
    'status@broadcast',
    '1@newsletter',
    '+1 2',
    'a@c.us',
    '@c.us',
    '+',
    '',
  ])('refuse "%s" as a recipient: 400 that names it', async (to) => {
    const answer = await admin.http.post<{ details: { field: string }[] }>('/messages/send', { to, text: 'x' });
    expect(answer.outcome).toBe('400 VALIDATION_FAILED');
    expect(answer.body.details[0]?.field).toBe('to');
  });

  it.each<[string, object]>([
    ['a number as recipient', { to: 5511888880001 }],
    ['a list as recipient', { to: [ALICE] }],
    ['no text', { text: undefined }],
    ['an empty text', { text: '' }],
    ['a text that is a number', { text: 7 }],
    ['a NUL in the text', { text: 'a\u0000b' }],
    ['half a character in the text', { text: 'a\ud83d' }],
    ['a NUL in the metadata', { metadata: { a: '\u0000' } }],
    ['65,537 characters', { text: 'x'.repeat(65_537) }],
    ['metadata of more than 4 KiB', { metadata: { a: 'x'.repeat(5000) } }],
    ['metadata that is a list', { metadata: [] }],
    ['an unknown type', { type: 'fax' }],
    ['an unknown field', { status: 'sent' }],
    ['a malformed session', { session_id: 'x' }],
    ['a link preview that is a word', { link_preview: 'yes' }],
  ])('refuse %s: 400, and nothing is queued', async (_what, change) => {
    const before = await app.owner.query('select count(*) from messages');
    expect(await refusal({ to: ALICE, text: 'x', ...change })).toBe('400 VALIDATION_FAILED');
    expect((await app.owner.query('select count(*) from messages')).rows).toEqual(before.rows);
  });

  it('refuse what is nested deeper than anybody reads, and stay alive', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const body = `{"to":"${ALICE}","text":"x","metadata":{"a":${deep}}}`;
    expect((await admin.http.post('/messages/send', body)).outcome).toBe('400 VALIDATION_FAILED');
    expect((await admin.http.post('/messages/send', body, { headers: { 'idempotency-key': 'deep' } })).outcome).toBe(
      '400 VALIDATION_FAILED',
    );
  });

  it('arrive as they were written: emoji, right-to-left text, line breaks, and 65,536 characters', async () => {
    const texts = ['👩‍👩‍👧‍👦 🇧🇷 e\u0301', 'שלום עולם \u202eمرحبا\u202c', 'a\r\n\tb\u0001\\"\'%_$1', 'ä'.repeat(65_536)];
    const chat = '5511888880077@c.us';
    for (const text of texts) {
      const accepted = await send(admin.http, { to: chat, text });
      const read = await becomes(admin.http, accepted.id, 'sent', 'delivered', 'read');
      expect([accepted.text, read.text]).toEqual([text, text]);
    }
    const sends = (await sendsOf(app, session)).filter(({ chatId }) => chatId === chat);
    expect(sends.map(({ text }) => text)).toEqual(texts);
  });

  it('of one chat leave in the order in which they were accepted', async () => {
    const chats = [1, 2, 3].map((i) => `551188888010${i}@c.us`);
    for (let i = 0; i < 15; i += 1) for (const to of chats) await send(admin.http, { to, text: `${i}` });
    const last = await send(admin.http, { to: chats[0], text: 'last' });
    await becomes(admin.http, last.id, 'sent', 'delivered', 'read');
    const sends = await sendsOf(app, session);
    const inOrder = Array.from({ length: 15 }, (_, i) => `${i}`);
    for (const chat of chats) {
      const texts = sends.filter(({ chatId, text }) => chatId === chat && text !== 'last').map(({ text }) => text);
      expect([chat, texts]).toEqual([chat, inOrder]);
    }
  });

  it('need no session_id where the tenant has one session, and ask for it where it has none or two', async () => {
    const outcomes = [];
    for (const sessions of [0, 1, 2]) {
      const { http } = await tenantWith(sessions);
      outcomes.push((await http.post('/messages/send', { to: ALICE, text: 'x' })).outcome);
    }
    expect(outcomes).toEqual(['409 SESSION_REQUIRED', '202', '409 SESSION_REQUIRED']);
  });

  it('of a session that is not there are refused: 404', async () => {
    const session_id = '01890000-0000-7000-8000-000000000001';
    expect(await refusal({ to: ALICE, text: 'x', session_id })).toBe('404 NOT_FOUND');
  });

  it('wait while their session is stopped and leave when it is started again', async () => {
    const { http } = await tenantWith(0);
    const own = await workingSession(app, http);
    await http.post(`/waha/sessions/${own.id}/stop`);
    await reaches(http, own.id, 'STOPPED');
    const waiting = [];
    for (const text of ['one', 'two']) waiting.push(await send(http, { to: ALICE, text }));
    const shown = await http.get<WireSession>(`/waha/sessions/${own.id}`);
    expect(shown.body.queue_depth).toBe(2);
    expect(await sendsOf(app, own)).toEqual([]);
    await http.post(`/waha/sessions/${own.id}/start`);
    for (const { id } of waiting) expect((await becomes(http, id, 'read')).attempts).toBe(1);
    expect((await sendsOf(app, own)).map(({ text }) => text)).toEqual(['one', 'two']);
  });

  it('are accepted before the phone is paired and leave once it is', async () => {
    const { http } = await tenantWith(0);
    const own = await createSession(http, 'Not yet');
    await reaches(http, own.id, 'SCAN_QR_CODE');
    const early = await send(http, { to: ALICE, text: 'early' });
    await app.simulator.post(`/simulator/sessions/${own.waha_name}/scan`, {});
    expect((await becomes(http, early.id, 'read')).attempts).toBe(1);
  });
});

describe('Idempotency-Key on sending', () => {
  let app: TestApp;
  let admin: LoggedIn;

  beforeAll(async () => {
    app = await startTestApp();
    admin = await app.login('TENANT_ADMIN');
    await workingSession(app, admin.http);
  });

  afterAll(() => app.close());

  const post = (key: string, body: object) =>
    admin.http.post<WireMessage>('/messages/send', body, { headers: { 'idempotency-key': key } });

  it('gives the first answer again, byte for byte, and makes one message', async () => {
    const body = { to: ALICE, text: 'once' };
    const first = await post('one', body);
    await becomes(admin.http, first.body.id, 'read');
    const again = await post('one', body);
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.bytes).toEqual(first.bytes);
    expect([first.headers.get('idempotent-replayed'), again.headers.get('idempotent-replayed')]).toEqual([
      null,
      'true',
    ]);
    const { rows } = await app.owner.query(`select count(*)::int as made from messages where body = 'once'`);
    expect(rows).toEqual([{ made: 1 }]);
    expect((await post('one', { ...body, text: 'other' })).outcome).toBe('422 IDEMPOTENCY_KEY_REUSED');
  });

  it('makes one message of twenty requests at once', async () => {
    const body = { to: ALICE, text: 'at once' };
    const answers = await Promise.all(Array.from({ length: 20 }, () => post('two', body)));
    const outcomes = new Set(answers.map(({ outcome }) => outcome));
    for (const outcome of outcomes) expect(['202', '409 IDEMPOTENCY_IN_PROGRESS']).toContain(outcome);
    const ids = new Set(answers.filter(({ status }) => status === 202).map(({ body: { id } }) => id));
    expect(ids.size).toBe(1);
    const { rows } = await app.owner.query(`select count(*)::int as made from messages where body = 'at once'`);
    expect(rows).toEqual([{ made: 1 }]);
  });
});
