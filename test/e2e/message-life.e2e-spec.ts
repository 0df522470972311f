import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import {
  becomes,
  historyOf,
  send,
  sendsOf,
  type WireEvent,
  type WireMessage,
  type WireSession,
  workingSession,
} from '../support/whatsapp';

const MINUTE_MS = 60_000;
const from = (ms: number): string => new Date(Date.now() + ms).toISOString();
let nobody = 5511888800000;
/** A chat that no other test writes to. */
const newChat = (): string => `${(nobody += 1)}@c.us`;

describe('the life of a message', () => {
  let app: TestApp;
  let admin: LoggedIn;
  let session: WireSession;

  beforeAll(async () => {
    app = await startTestApp();
    admin = await app.login('TENANT_ADMIN');
    session = await workingSession(app, admin.http);
  });

  afterEach(() => app.simulator.delete('/simulator/faults'));
  afterAll(() => app.close());

  const act = (id: string, action: 'cancel' | 'retry', body: object = {}) =>
    admin.http.post<WireMessage>(`/messages/${id}/${action}`, body);
  const refused = async (body: object) =>
    (await admin.http.post('/messages/send', { session_id: session.id, to: newChat(), ...body })).outcome;
  const textsTo = async (chat: string) =>
    (await sendsOf(app, session)).filter(({ chatId }) => chatId === chat).map(({ text }) => text);
  const fail = (chat: string) =>
    app.owner.query(`update messages set status = 'failed', error_code = 'ACK_ERROR' where chat = $1`, [chat]);

  describe('that is scheduled', () => {
    it('waits for its time, holds nobody up, and goes then', async () => {
      const to = newChat();
      const later = await send(admin.http, { session_id: session.id, to, text: 'later', scheduled_at: from(2_500) });
      expect(later).toMatchObject({ status: 'scheduled', attempts: 0 });
      const now = await send(admin.http, { session_id: session.id, to, text: 'now' });
      await becomes(admin.http, now.id, 'read');
      expect(await textsTo(to)).toEqual(['now']);
      const read = await becomes(admin.http, later.id, 'read');
      expect(Date.parse(read.sent_at ?? '')).toBeGreaterThanOrEqual(Date.parse(read.scheduled_at ?? ''));
      expect(await historyOf(admin.http, later.id)).toEqual([
        ...['scheduled', 'queued', 'sending', 'sent', 'delivered', 'read'],
      ]);
      expect(await textsTo(to)).toEqual(['now', 'later']);
    });

    it('is sent at once when its time is over already', async () => {
      const past = await send(admin.http, {
        session_id: session.id,
        to: newChat(),
        text: 'x',
        scheduled_at: from(-MINUTE_MS),
      });
      expect(past.status).toBe('queued');
      await becomes(admin.http, past.id, 'read');
    });

    it('is found by its status, can be cancelled, and is not sent then', async () => {
      const to = newChat();
      const { id } = await send(admin.http, { session_id: session.id, to, text: 'never', scheduled_at: from(1_500) });
      const found = await admin.http.get<WireMessage[]>('/messages?status=scheduled');
      expect(found.body.map((each) => each.id)).toEqual([id]);
      expect((await act(id, 'cancel')).body.status).toBe('cancelled');
      expect((await act(id, 'cancel')).status).toBe(200);
      await new Promise((resolve) => setTimeout(resolve, 3_000)); // past its time, and a round of the clock
      expect([await historyOf(admin.http, id), await textsTo(to)]).toEqual([['scheduled', 'cancelled'], []]);
    });

    it('is cancelled with its session', async () => {
      const doomed = await workingSession(app, admin.http, 'Doomed');
      const draft = { session_id: doomed.id, to: newChat(), text: 'x', scheduled_at: from(MINUTE_MS) };
      const { id } = await send(admin.http, draft);
      await admin.http.delete(`/waha/sessions/${doomed.id}`);
      await becomes(admin.http, id, 'cancelled');
      expect((await act(id, 'retry')).outcome).toBe('409 MESSAGE_STATE');
    });
  });

  describe('that expires', () => {
    it('is not sent after its time, and holds back none behind it', async () => {
      const stopped = await workingSession(app, admin.http, 'Stopped');
      await admin.http.post(`/waha/sessions/${stopped.id}/stop`, {});
      const to = newChat();
      const brief = await send(admin.http, { session_id: stopped.id, to, text: 'brief', expires_at: from(1_000) });
      const patient = await send(admin.http, { session_id: stopped.id, to, text: 'patient' });
      const expired = await becomes(admin.http, brief.id, 'expired');
      expect(expired).toMatchObject({ error_code: 'EXPIRED', retryable: true });
      expect(await historyOf(admin.http, brief.id)).toEqual(['queued', 'expired']);
      await admin.http.post(`/waha/sessions/${stopped.id}/start`, {});
      await becomes(admin.http, patient.id, 'read');
      expect((await sendsOf(app, stopped)).map(({ text }) => text)).toEqual(['patient']);

      expect((await act(brief.id, 'retry')).body).toMatchObject({
        status: 'queued',
        expires_at: null,
        error_code: null,
      });
      await becomes(admin.http, brief.id, 'read');
      expect((await sendsOf(app, stopped)).map(({ text }) => text)).toEqual(['patient', 'brief']);
    });

    it('goes as ever when there is time', async () => {
      const { id } = await send(admin.http, {
        session_id: session.id,
        to: newChat(),
        text: 'in time',
        expires_at: from(MINUTE_MS),
      });
      await becomes(admin.http, id, 'read');
    });
  });

  describe('that WhatsApp does not confirm', () => {
    /** Sends, and from then on no ack comes back. */
    const unconfirmed = async (to: string) => {
      await app.simulator.call('PUT', '/simulator/faults', { ack_lose_rate: 1 });
      const { id } = await send(admin.http, { session_id: session.id, to, text: 'hello?' });
      await becomes(admin.http, id, 'sent');
      return id;
    };
    const tenMinutesLater = (id: string) =>
      app.owner.query(`update messages set ack_due_at = ack_due_at - interval '10 minutes' where id = $1`, [id]);

    it('is stalled after ten minutes, with a cause; sent again when forced only', async () => {
      const to = newChat();
      const id = await unconfirmed(to);
      await tenMinutesLater(id);
      expect(await becomes(admin.http, id, 'stalled')).toMatchObject({ error_code: 'NO_ACK', retryable: false });
      expect((await act(id, 'retry')).outcome).toBe('409 FORCE_REQUIRED');
      expect((await act(id, 'retry', { force: false })).outcome).toBe('409 FORCE_REQUIRED');
      expect((await act(id, 'retry', { force: true })).status).toBe(202);
      expect(await becomes(admin.http, id, 'sent')).toMatchObject({ attempts: 2, error_code: null });
      // Under the id that was reserved for it: WhatsApp drops what it has already.
      const sends = (await sendsOf(app, session)).filter(({ chatId }) => chatId === to);
      expect(sends).toEqual([
        expect.objectContaining({ id: sends[0]?.id }),
        expect.objectContaining({ id: sends[0]?.id, duplicateOf: sends[0]?.seq }),
      ]);
    });

    it('waits for an ack no longer once one has come, of whatever level', async () => {
      const { id } = await send(admin.http, { session_id: session.id, to: newChat(), text: 'confirmed' });
      await becomes(admin.http, id, 'read');
      const { rows } = await app.owner.query('select ack_due_at from messages where id = $1', [id]);
      expect(rows).toEqual([{ ack_due_at: null }]);
    });

    it('is none of them once an ack has come, however long it stays undelivered', async () => {
      const id = await unconfirmed(newChat());
      await app.owner.query(`update messages set ack_due_at = null where id = $1`, [id]);
      const other = await unconfirmed(newChat());
      await Promise.all([id, other].map(tenMinutesLater));
      await becomes(admin.http, other, 'stalled');
      expect(await historyOf(admin.http, id)).toEqual(['queued', 'sending', 'sent']);
    });
  });

  describe('that failed', () => {
    it('goes again under its own id where WhatsApp has not refused it: it may have left after all', async () => {
      const to = newChat();
      const { id } = await send(admin.http, { session_id: session.id, to, text: 'maybe' });
      await becomes(admin.http, id, 'read');
      const lost = `update messages set status = 'failed', error_code = 'ATTEMPTS_EXHAUSTED' where id = $1`;
      await app.owner.query(lost, [id]);
      await act(id, 'retry');
      await becomes(admin.http, id, 'sent', 'delivered', 'read');
      const sends = (await sendsOf(app, session)).filter(({ chatId }) => chatId === to);
      expect(new Set(sends.map((each) => each.id)).size).toBe(1);
    });

    it('is sent once more under a new id when somebody asks for it', async () => {
      const to = newChat();
      const { id } = await send(admin.http, { session_id: session.id, to, text: 'again' });
      await becomes(admin.http, id, 'read');
      await fail(to);
      expect((await act(id, 'retry')).body).toMatchObject({ status: 'queued', error_code: null, attempts: 1 });
      const read = await becomes(admin.http, id, 'read');
      expect(read.attempts).toBe(2);
      const sends = (await sendsOf(app, session)).filter(({ chatId }) => chatId === to);
      expect(new Set(sends.map((each) => each.id)).size).toBe(2);
    });

    it('is queued once, however many ask at the same time', async () => {
      const to = newChat();
      const { id } = await send(admin.http, { session_id: session.id, to, text: 'once more' });
      await becomes(admin.http, id, 'read');
      await fail(to);
      const answers = await Promise.all(Array.from({ length: 5 }, () => act(id, 'retry')));
      await becomes(admin.http, id, 'read');
      expect(answers.map(({ outcome }) => outcome).sort()).toEqual([
        '202',
        ...Array<string>(4).fill('409 MESSAGE_STATE'),
      ]);
      expect(await textsTo(to)).toEqual(['once more', 'once more']);
    });
  });

  it('that has left can be neither cancelled nor retried', async () => {
    const { id } = await send(admin.http, { session_id: session.id, to: newChat(), text: 'x' });
    await becomes(admin.http, id, 'read');
    expect((await act(id, 'cancel')).outcome).toBe('409 MESSAGE_STATE');
    expect((await act(id, 'retry', { force: true })).outcome).toBe('409 MESSAGE_STATE');
  });

  it.each<[what: string, body: object]>([
    ['an expiry that is over', { text: 'x', expires_at: from(-1_000) }],
    ['an expiry that is not later', { text: 'x', scheduled_at: from(MINUTE_MS), expires_at: from(MINUTE_MS) }],
    ['a schedule beyond a year', { text: 'x', scheduled_at: from(400 * 24 * 60 * MINUTE_MS) }],
    ['a time that is none', { text: 'x', scheduled_at: 'tomorrow' }],
    ['nothing to say', {}],
    ['two things to say', { text: 'x', poll: { name: 'q', options: ['a', 'b'] } }],
    ['a type that contradicts the content', { type: 'location', text: 'x' }],
    ['a place that is nowhere', { location: { latitude: 91, longitude: 0 } }],
    ['a place in words', { location: { latitude: '51', longitude: 0 } }],
    ['a poll without a choice', { poll: { name: 'q', options: ['a'] } }],
    ['a poll with the same choice twice', { poll: { name: 'q', options: ['a', 'a'] } }],
    ['a card without a name', { contact: { full_name: ' ', phone_number: '+44 20 7946 0958' } }],
    ['a card without a number', { contact: { full_name: 'Ada', phone_number: 'none' } }],
    ['an answer to a message that is not there', { text: 'x', reply_to: '0198c1d2-0000-7000-8000-000000000000' }],
    ['an answer to no message', { text: 'x', reply_to: 'my last one' }],
  ])('is refused whole with %s', async (_what, body) => {
    expect(await refused(body)).toBe('400 VALIDATION_FAILED');
  });
});

describe.each(['NOWEB', 'GOWS', 'WEBJS'] as const)('what a message can be, through %s', (engine) => {
  let app: TestApp;
  let admin: LoggedIn;
  let session: WireSession;

  beforeAll(async () => {
    app = await startTestApp({ simulator: { engine } });
    admin = await app.login('TENANT_ADMIN');
    session = await workingSession(app, admin.http);
  });

  afterAll(() => app.close());

  it.each([
    ['location', { location: { latitude: 51.5074, longitude: -0.1278, title: 'Our shop' } }],
    ['contact', { contact: { full_name: 'Ada Lovelace', phone_number: '+44 20 7946 0958', organization: 'Engines' } }],
    ['poll', { poll: { name: 'When?', options: ['Morning', 'Evening'], multiple: true } }],
  ])('is a %s, which goes the whole way once and is shown as it was given', async (type, content) => {
    const to = newChat();
    const accepted = await send(admin.http, { to, ...content, type });
    expect(accepted).toMatchObject({ type, ...content });
    expect(await becomes(admin.http, accepted.id, 'read')).toMatchObject({ type, ...content, attempts: 1 });
    expect(await sendsTo(to)).toEqual([expect.objectContaining({ type })]);
    const { body } = await admin.http.get<WireMessage[]>(`/messages?chat=${to}`);
    expect(body.map(({ id }) => id)).toEqual([accepted.id]); // its echo is not a message of its own
  });

  it('answers another one, by our id of it or by WhatsApp’s', async () => {
    const to = newChat();
    await app.simulator.post(`/simulator/sessions/${session.waha_name}/inbound`, { from: to, text: 'Open?' });
    const question = await eventually(async () => {
      const { body } = await admin.http.get<WireMessage[]>(`/messages?chat=${to}`);
      const [first] = body;
      if (!first) throw new Error('not here yet');
      return first;
    });
    const first = await send(admin.http, { to, text: 'Until six.', reply_to: question.id });
    await becomes(admin.http, first.id, 'read');
    const second = await send(admin.http, { to, text: 'On Sundays too.', reply_to: first.reply_to });
    await becomes(admin.http, second.id, 'read');
    const quoted = await admin.http.get<WireMessage>(`/messages/${second.id}`);
    expect(quoted.body.reply_to).toBe(first.reply_to);
    expect(await quotesIn(to)).toEqual([bareIdOf(first.reply_to), bareIdOf(first.reply_to)]);
    const elsewhere = { to: newChat(), text: 'x', reply_to: question.id };
    expect((await admin.http.post('/messages/send', elsewhere)).outcome).toBe('400 VALIDATION_FAILED');
    const { body: history } = await admin.http.get<WireEvent[]>(`/messages/${second.id}/events`);
    expect(history.at(-1)?.status).toBe('read');
  });

  const sendsTo = async (chat: string) => (await sendsOf(app, session)).filter(({ chatId }) => chatId === chat);
  const bareIdOf = (whole: unknown) => String(whole).split('_')[2];
  /** What WhatsApp shows as quoted by our messages in that chat. */
  const quotesIn = async (chat: string) => (await sendsTo(chat)).map(({ targetId }) => targetId);
});
