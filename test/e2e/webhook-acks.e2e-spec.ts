import type { TestSession } from '../support/factories';
import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import * as door from '../support/webhook-door';
import { envelope, inbound } from '../support/webhooks';
import { historyOf, type WireMessage } from '../support/whatsapp';

const ALICE = '5511888880000@c.us';

let app: TestApp;
let admin: LoggedIn;

beforeAll(async () => {
  app = await startTestApp();
  admin = await app.login('TENANT_ADMIN');
});

afterAll(() => app.close());

const post = (session: TestSession, body: string) => door.post(app, session, body);
const settled = (session: TestSession) => door.settled(app, session);
const messagesOf = (session: TestSession) => door.messagesOf(admin.http, session);

/** An attempt without an id whose answer never came. */
const doubtful = (body: string) => ({ status: 'unknown', attempts: 1, body, error_code: 'WAHA_TIMEOUT' });

describe('acks', () => {
  const LEVELS = { '-1': 'failed', 1: 'sent', 2: 'delivered', 3: 'read', 4: 'played' } as const;
  const ack = (session: TestSession, bareId: string, level: number, chat = ALICE) =>
    post(
      session,
      envelope(session, 'message.ack', { payload: { id: `true_${chat}_${bareId}`, fromMe: true, ack: level } }),
    );

  it.each([
    ['in order', [1, 2, 3, 4], 'played', ['sent', 'delivered', 'read', 'played']],
    ['out of order', [3, 1, 2], 'read', ['read']],
    ['twice', [2, 2, 3, 3], 'read', ['delivered', 'read']],
    ['with an error late', [2, -1], 'delivered', ['delivered']],
    ['with an error first', [-1], 'failed', ['failed']],
    ['with an error that was none', [-1, 2], 'delivered', ['failed', 'delivered']],
  ])('%s leave the message where the furthest says', async (what, levels, status, steps) => {
    const session = await app.make.session(app.tenantId);
    const bareId = `ACK_${what.replaceAll(' ', '_')}`;
    const id = await app.make.message(session, { wa_id: bareId, status: 'sending', attempts: 1 });
    for (const level of levels) expect((await ack(session, bareId, level)).status).toBe(200);
    expect((await settled(session)).every((row) => row.status === 'applied')).toBe(true);
    const { body } = await admin.http.get<WireMessage>(`/messages/${id}`);
    expect([body.status, body.error_code]).toEqual([status, status === 'failed' ? 'ACK_ERROR' : null]);
    expect(await historyOf(admin.http, id)).toEqual(['queued', ...steps]);
    expect(Object.values(LEVELS)).toContain(status);
  });

  it('find the message by its bare id, though they name the chat by its hidden id', async () => {
    const session = await app.make.session(app.tenantId);
    const id = await app.make.message(session, { wa_id: 'HIDDEN', status: 'sent' });
    await ack(session, 'HIDDEN', 3, '98765432109876@lid');
    await settled(session);
    expect((await admin.http.get<WireMessage>(`/messages/${id}`)).body.status).toBe('read');
  });

  it('touch no message of another session that has the same id', async () => {
    const [one, two] = [await app.make.session(app.tenantId), await app.make.session(app.tenantId)];
    const untouched = await app.make.message(one, { wa_id: 'SHARED', status: 'sent' });
    const meant = await app.make.message(two, { wa_id: 'SHARED', status: 'sent' });
    await ack(two, 'SHARED', 2);
    await settled(two);
    const statuses = [];
    for (const id of [untouched, meant])
      statuses.push((await admin.http.get<WireMessage>(`/messages/${id}`)).body.status);
    expect(statuses).toEqual(['sent', 'delivered']);
  });

  it('and echoes of a message that is not known yet wait for it, and are then applied', async () => {
    const session = await app.make.session(app.tenantId);
    await ack(session, 'EARLY', 2);
    const echo = { ...inbound('EARLY'), id: `true_${ALICE}_EARLY`, fromMe: true, source: 'api', ack: 1 };
    await post(session, envelope(session, 'message.any', { payload: echo }));
    await eventually(async () => {
      const { rows } = await app.owner.query<{ note: string | null }>(door.EVENTS, [session.id]);
      return rows.length === 2 && rows.every(({ note }) => note !== null);
    });
    const id = await app.make.message(session, { wa_id: 'EARLY', status: 'sending', attempts: 1 });
    expect((await settled(session)).map(({ status }) => status)).toEqual(['applied', 'applied']);
    expect((await admin.http.get<WireMessage>(`/messages/${id}`)).body.status).toBe('delivered');
    expect(await messagesOf(session)).toHaveLength(1);
  });

  it('of a message that never comes are ignored in the end, and an echo becomes a message', async () => {
    const session = await app.make.session(app.tenantId);
    await ack(session, 'NEVER', 2);
    const echo = {
      ...inbound('ECHO', 'sent elsewhere'),
      id: `true_${ALICE}_ECHO`,
      fromMe: true,
      source: 'api',
      ack: 1,
    };
    await post(session, envelope(session, 'message.any', { payload: echo }));
    await app.owner.query(
      `update webhook_events set received_at = now() - interval '2 minutes' where session_id = $1`,
      [session.id],
    );
    expect((await settled(session)).map(({ status }) => status)).toEqual(['ignored', 'applied']);
    expect(await messagesOf(session)).toEqual([
      expect.objectContaining({ direction: 'outbound', status: 'sent', text: 'sent elsewhere', created_by: null }),
    ]);
  });

  it('and echoes settle an attempt whose answer never came, by chat and words', async () => {
    const session = await app.make.session(app.tenantId);
    const unknown = { ...doubtful('same words'), attempted_at: new Date() };
    const [first, second] = [await app.make.message(session, unknown), await app.make.message(session, unknown)];
    const echo = { ...inbound('BOUND', 'same words'), id: `true_${ALICE}_BOUND`, fromMe: true, source: 'app', ack: 1 };
    await post(session, envelope(session, 'message.any', { payload: echo }));
    await settled(session);
    const statuses = [];
    for (const id of [first, second]) {
      const { body } = await admin.http.get<WireMessage>(`/messages/${id}`);
      statuses.push([body.status, body.error_code]);
    }
    expect(statuses).toEqual([
      ['sent', null],
      ['unknown', 'WAHA_TIMEOUT'],
    ]);
    expect(await messagesOf(session)).toHaveLength(2);
  });
});

describe('an echo of words that were said twice', () => {
  /** The application's own: a call's time, that of a slow WAHA, and what clocks and workers may add. */
  const SPAN_MS = 20_000 + 2_000 + 10_000;
  const FILE_SPAN_MS = 180_000 + 2_000 + 10_000;
  const now = Math.floor(Date.now() / 1_000) * 1_000;
  const echoOf = (session: TestSession, more: object = {}) =>
    post(
      session,
      envelope(session, 'message.any', {
        payload: {
          ...inbound('ECHO', 'same words'),
          ...{ id: `true_${ALICE}_ECHO`, fromMe: true, source: 'app', ack: 1, timestamp: now / 1_000 },
          ...more,
        },
      }),
    );
  const attempt = (session: TestSession, agoMs: number, more: object = {}) =>
    app.make.message(session, { ...doubtful('same words'), attempted_at: new Date(now - agoMs), ...more });
  const statusOf = async (id: string) => (await admin.http.get<WireMessage>(`/messages/${id}`)).body.status;

  const UNDER_WAY = { status: 'sending' };
  it.each<[string, [agoMs: number, more: object][], number]>([
    [
      'the one under way, before one of which nothing was heard',
      [
        [8_000, {}],
        [0, UNDER_WAY],
      ],
      1,
    ],
    [
      'the one under way, though it began after it by our clock',
      [
        [8_000, {}],
        [-3_000, UNDER_WAY],
      ],
      1,
    ],
    [
      'the last that had begun by then',
      [
        [9_000, {}],
        [4_000, {}],
      ],
      1,
    ],
    [
      'the one that had begun by then, not the next',
      [
        [3_000, {}],
        [-2_500, {}],
      ],
      0,
    ],
    [
      'the first, of two of one moment',
      [
        [100, {}],
        [100, {}],
      ],
      0,
    ],
    [
      'not one that began later',
      [
        [3_000, {}],
        [-6_000, UNDER_WAY],
      ],
      0,
    ],
    [
      'not one whose time was over',
      [
        [SPAN_MS + 1_000, {}],
        [SPAN_MS - 1_000, {}],
      ],
      1,
    ],
  ])('is of %s', async (_what, attempts, expected) => {
    const session = await app.make.session(app.tenantId);
    const ids: string[] = [];
    for (const [agoMs, more] of attempts) ids.push(await attempt(session, agoMs, more));
    await echoOf(session);
    await settled(session);
    expect(await statusOf(ids[expected] ?? '')).toBe('sent');
    expect(await statusOf(ids[1 - expected] ?? '')).not.toBe('sent');
    expect(await messagesOf(session)).toHaveLength(2);
  });

  it('is of neither, where one is long over and one began after it: then it came from elsewhere', async () => {
    const session = await app.make.session(app.tenantId);
    const ids = [await attempt(session, SPAN_MS + 1_000), await attempt(session, -6_000)];
    await echoOf(session);
    await settled(session);
    for (const id of ids) expect(await statusOf(id)).toBe('unknown');
    expect(await messagesOf(session)).toHaveLength(3);
  });

  it('gives a file more time, and takes an id that was reserved for it for none', async () => {
    const session = await app.make.session(app.tenantId);
    const file = { type: 'video', content: { media: { state: 'stored' } } };
    const over = await attempt(session, FILE_SPAN_MS + 1_000, file);
    const id = await attempt(session, FILE_SPAN_MS - 1_000, { ...file, wa_id: 'RESERVED', wa_id_reserved: true });
    await echoOf(session, { hasMedia: true, media: { url: null, mimetype: 'video/mp4', filename: null } });
    await settled(session);
    expect([await statusOf(over), await statusOf(id)]).toEqual(['unknown', 'sent']);
    const { rows } = await app.owner.query('select wa_id, wa_id_reserved from messages where id = $1', [id]);
    expect(rows).toEqual([{ wa_id: 'ECHO', wa_id_reserved: false }]);
    expect(await messagesOf(session)).toHaveLength(2);
  });
});
