import { isSignedWith } from '../../src/modules/webhooks/webhook-ingest.service';
import type { TestSession } from '../support/factories';
import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import * as door from '../support/webhook-door';
import { envelope, fixture, fixtureNames, inbound, measuredRequest, signed } from '../support/webhooks';
import { historyOf, type WireMessage, type WireSession } from '../support/whatsapp';

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

describe('what a real WAHA posted', () => {
  // In the order in which WAHA posted them: a code, a pairing, a send with its ack, and what somebody wrote.
  const ORDER = [
    'session.status--SCAN_QR_CODE',
    'session.status--WORKING',
    'message.any--fromMe-sent-by-api',
    'message.ack--DEVICE',
    'message--text',
    'message.any--text',
    'message--text-from-lid',
    'message--media-image',
  ];
  let session: TestSession;
  let outbound: string;

  beforeAll(async () => {
    const { hmacKey } = measuredRequest();
    const options = { wahaName: 't1-a', secret: hmacKey, status: 'STOPPED' };
    session = await app.make.session(app.tenantId, options);
    const sent = { wa_id: '3EB0E8D333AB73FB29EB43', status: 'sending', attempts: 1, body: 'hi' };
    outbound = await app.make.message(session, sent);
  });

  it('is all tested here', () => {
    expect([...ORDER].sort()).toEqual(fixtureNames().sort());
  });

  it('verifies with its key, byte for byte', () => {
    const { headers, rawBody, hmacKey } = measuredRequest();
    const signature = headers['x-webhook-hmac'] ?? '';
    expect(isSignedWith(hmacKey, Buffer.from(rawBody), signature)).toBe(true);
    expect(isSignedWith('k2', Buffer.from(rawBody), signature)).toBe(false);
    // The vector of WAHA's own documentation.
    const body = Buffer.from('{"event":"message","session":"default","engine":"WEBJS"}');
    expect(signed('my-secret-key', body).headers['x-webhook-hmac']).toMatch(/^208f8a55/);
  });

  it('is taken and stored once, however often it comes', async () => {
    for (const name of ORDER) {
      const answers = [await post(session, fixture(name)), await post(session, fixture(name))];
      expect([name, ...answers.map(({ status, body }) => [status, body.stored])]).toEqual([
        name,
        [200, true],
        [200, false],
      ]);
    }
    const { headers, rawBody } = measuredRequest();
    const own = ['user-agent', 'x-webhook-request-id', 'x-webhook-timestamp', 'x-webhook-hmac'];
    const sentHeaders = Object.fromEntries(own.map((name) => [name, headers[name] ?? '']));
    const answer = await app.anybody.post<{ stored: boolean }>('/webhooks/waha', rawBody, { headers: sentHeaders });
    // It is the event of message--text, which came already.
    expect([answer.status, answer.body.stored]).toEqual([200, false]);
  });

  it('is applied, each in its way', async () => {
    const rows = await settled(session);
    expect(rows.map(({ event, status, note }) => [event, status, note])).toEqual([
      ['session.status', 'applied', null],
      ['session.status', 'applied', null],
      ['message.any', 'applied', null],
      ['message.ack', 'applied', null],
      ['message', 'applied', null],
      ['message.any', 'applied', 'nothing new'],
      ['message', 'applied', null],
      ['message', 'applied', null],
    ]);
  });

  it('makes the session WORKING with its phone', async () => {
    const { body } = await admin.http.get<WireSession>(`/waha/sessions/${session.id}`);
    expect(body).toMatchObject({ status: 'WORKING', health: 'ok', phone: '5511999990000', push_name: 'Tenant One' });
    expect([typeof body.last_inbound_at, typeof body.last_ack_at]).toEqual(['string', 'string']);
  });

  it('makes one message of what was written, from a phone number, a hidden id, and with a picture', async () => {
    const inboundOnes = (await messagesOf(session)).filter(({ direction }) => direction === 'inbound');
    expect(
      inboundOnes.reverse().map(({ chat, type, text, media, status }) => [chat, type, text, media, status]),
    ).toEqual([
      [ALICE, 'text', 'Hello there', null, 'received'],
      ['98765432109876@lid', 'text', 'From a LID', null, 'received'],
      [ALICE, 'image', 'look', expect.objectContaining({ mime_type: 'image/jpeg', size: null }), 'received'],
    ]);
  });

  it('makes the message that was sent delivered', async () => {
    const { body } = await admin.http.get<WireMessage>(`/messages/${outbound}`);
    expect(body).toMatchObject({ status: 'delivered', text: 'hi', chat: ALICE, read_at: null });
    // WAHA's own time of the event.
    expect(body.delivered_at).toBe(new Date(1_795_199_528_844).toISOString());
    expect(await historyOf(admin.http, outbound)).toEqual(['queued', 'sent', 'delivered']);
    expect((await messagesOf(session)).filter(({ direction }) => direction === 'outbound')).toHaveLength(1);
  });
});

describe('events', () => {
  it('that nobody acts on, or that say nothing, are ignored with a reason', async () => {
    const session = await app.make.session(app.tenantId);
    const events: [string, Record<string, unknown>][] = [
      ['presence.update', { payload: { id: ALICE, presences: [] } }],
      ['message.reaction', { payload: { reaction: { text: '👍' } } }],
      ['session.status', { payload: {} }],
      ['message', { payload: { body: 'no id' } }],
      ['message', { payload: null }],
      ['message', { payload: [1, 2] }],
      ['message.ack', { payload: { id: `true_${ALICE}_X`, ack: 0 } }],
      ['message.ack', { payload: { id: `true_${ALICE}_X`, ack: 99 } }],
      ['message.ack', { payload: { id: `false_${ALICE}_X`, ack: 3 } }],
      ['message.ack', { payload: { ack: 3 } }],
      ['something.new', {}],
    ];
    for (const [event, more] of events) expect((await post(session, envelope(session, event, more))).status).toBe(200);
    const rows = await settled(session);
    expect(rows.map(({ status }) => status)).toEqual(events.map(() => 'ignored'));
    expect(rows.filter(({ note }) => !note)).toEqual([]);
    expect(await messagesOf(session)).toEqual([]);
  });

  it('of a message and its twin under another event id make one message', async () => {
    const session = await app.make.session(app.tenantId);
    for (const event of ['message', 'message.any', 'message'])
      await post(session, envelope(session, event, { payload: inbound('TWIN') }));
    expect(await settled(session)).toHaveLength(3);
    expect(await messagesOf(session)).toHaveLength(1);
  });

  it('of one id posted twenty times at once are stored once', async () => {
    const session = await app.make.session(app.tenantId);
    const body = envelope(session, 'message', { payload: inbound('AT_ONCE') });
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(session, body)));
    expect(answers.filter(({ body: { stored } }) => stored)).toHaveLength(1);
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(await settled(session)).toHaveLength(1);
  });

  it('of the same id belong to the session that they name', async () => {
    const sessions = [await app.make.session(app.tenantId), await app.make.session(await app.make.tenant())];
    for (const session of sessions) {
      const body = envelope(session, 'message', { id: 'evt_same', payload: inbound('SAME') });
      expect((await post(session, body)).body.stored).toBe(true);
      expect(await settled(session)).toHaveLength(1);
    }
    const { rows } = await app.owner.query(
      `select tenant_id, session_id from messages where wa_id = 'SAME' order by seq`,
    );
    expect(rows).toEqual(sessions.map(({ tenantId, id }) => ({ tenant_id: tenantId, session_id: id })));
  });

  it('with text that no database stores are applied without what it cannot', async () => {
    const session = await app.make.session(app.tenantId);
    await post(session, envelope(session, 'message', { payload: inbound('NUL', 'a\u0000b \u{1F600} שלום') }));
    await post(session, envelope(session, 'message', { payload: inbound('HALF', 'a\ud83d') }));
    const media = { mimetype: 'image/png\u0000', filename: 'half \ud83d' };
    await post(session, envelope(session, 'message', { payload: { ...inbound('MEDIA', ''), hasMedia: true, media } }));
    await post(session, envelope(session, 'message', { payload: inbound('AFTER', 'after') }));
    expect((await settled(session)).map(({ status, note }) => [status, note])).toEqual(
      Array(4).fill(['applied', null]),
    );
    const texts = (await messagesOf(session)).map(({ text }) => text);
    expect(texts.slice(0, 2)).toEqual(['after', null]);
    expect(texts[3]).toBe('ab \u{1F600} שלום');
  });

  it('that cannot be applied do not hold up those behind them', async () => {
    const session = await app.make.session(app.tenantId);
    const tooLong = `${'9'.repeat(200)}@c.us`;
    await post(session, envelope(session, 'message', { payload: inbound('BAD', 'x', tooLong) }));
    await post(session, envelope(session, 'message', { payload: inbound('GOOD', 'good') }));
    await eventually(async () => (await messagesOf(session)).length === 1);
    const { rows } = await app.owner.query<{ status: string; attempts: number; note: string }>(
      `select status, attempts, note from webhook_events where session_id = $1 order by seq limit 1`,
      [session.id],
    );
    expect(rows[0]).toMatchObject({ status: 'pending', attempts: expect.any(Number), note: expect.any(String) });
    expect(rows[0]?.attempts).toBeGreaterThan(0);
  });

  it('that cannot be applied do not make those beside them count twice', async () => {
    const session = await app.make.session(app.tenantId);
    const bodies = [
      envelope(session, 'message', { payload: inbound('TWO', 'first') }),
      envelope(session, 'message.edited', {
        payload: { ...inbound('EDIT', 'second'), editedMessageId: 'TWO' },
      }),
      envelope(session, 'message.reaction', {
        payload: { ...inbound('REACTION'), reaction: { text: '👍', messageId: `false_${ALICE}_TWO` } },
      }),
      envelope(session, 'message', { payload: inbound('BAD_TOO', 'x', `${'9'.repeat(200)}@c.us`) }),
    ];
    // One batch: the last of them takes what was done to the others back with it, and they are done again one by one.
    await app.owner.query(
      `insert into webhook_events (tenant_id, session_id, event, event_id, body)
        select $1, $2, body::json->>'event', body::json->>'id', body from unnest($3::text[]) body`,
      [app.tenantId, session.id, bodies],
    );
    const { id } = await eventually(async () => {
      const [message] = await messagesOf(session);
      if (message?.text !== 'second') throw new Error('not edited yet');
      return message;
    });
    await eventually(async () => {
      const { body } = await admin.http.get<WireMessage>(`/messages/${id}`);
      expect(body.reactions).toEqual([{ emoji: '👍', from: ALICE, at: expect.any(String) }]);
    });
    expect(await historyOf(admin.http, id)).toEqual(['received', 'received']);
  });
});
