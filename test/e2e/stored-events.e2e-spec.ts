import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type {
  StoredEventResponse,
  StoredEventWithBodyResponse,
} from '../../src/modules/webhooks/dto/stored-event.response';
import { Api } from '../support/api';
import { createTestApp } from '../support/app';
import { auditRecords } from '../support/audit-records';
import type { TestSession } from '../support/factories';
import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import * as door from '../support/webhook-door';
import { envelope, inbound } from '../support/webhooks';
import type { Wire, WireMessage } from '../support/whatsapp';

type WireEvent = Wire<StoredEventResponse>;

const ALICE = '5511888880000@c.us';
const NOBODYS = '01890000-0000-7000-8000-000000000001';

let app: TestApp;
let admin: LoggedIn;

beforeAll(async () => {
  app = await startTestApp();
  admin = await app.login('TENANT_ADMIN');
});

afterAll(() => app.close());

const made = () => app.make.session(app.tenantId);
const list = async (query: string) => (await admin.http.get<WireEvent[]>(`/webhooks/events?${query}`)).body;
const view = async (id: string) =>
  (await admin.http.get<Wire<StoredEventWithBodyResponse>>(`/webhooks/events/${id}`)).body;
const replay = (id: string) => admin.http.post<WireEvent>(`/webhooks/events/${id}/replay`);
const ack = (bareId: string, level: number) => ({ id: `true_${ALICE}_${bareId}`, fromMe: true, ack: level });

/** Events that could not be applied, as the worker leaves them. */
async function failed(session: TestSession, count: number, event = 'message'): Promise<void> {
  await app.owner.query(
    `insert into webhook_events (tenant_id, session_id, event, event_id, body, status, attempts, note)
      select $1, $2, $3, 'evt_' || n, json_build_object('event', $3::text, 'n', n)::text, 'failed', 6, 'broken'
      from generate_series(1, $4::int) n`,
    [session.tenantId, session.id, event, count],
  );
}

/** An event that is ignored since nobody knows its message; answers its id. */
async function ignored(session: TestSession, bareId: string): Promise<string> {
  await door.post(app, session, envelope(session, 'message.ack', { payload: ack(bareId, 2) }));
  await app.owner.query(`update webhook_events set received_at = now() - interval '2 minutes' where session_id = $1`, [
    session.id,
  ]);
  await door.settled(app, session);
  const [event] = await list(`status=ignored&session_id=${session.id}`);
  return event?.id ?? '';
}

describe('GET /webhooks/events', () => {
  it('shows what could not be applied, newest first, page by page, without bodies', async () => {
    const session = await made();
    await failed(session, 5);
    const pages: string[] = [];
    const first = await admin.http.get<WireEvent[]>(`/webhooks/events?session_id=${session.id}&limit=2&count=true`);
    expect(first.headers.get('x-total-count')).toBe('5');
    let next: string | undefined = `/webhooks/events?session_id=${session.id}&limit=2`;
    while (next !== undefined) {
      const page: Awaited<ReturnType<typeof admin.http.get<WireEvent[]>>> = await admin.http.get<WireEvent[]>(next);
      pages.push(...page.body.map(({ id }) => id));
      next = /<([^>]+)>/.exec(page.headers.get('link') ?? '')?.[1];
    }
    expect(pages).toHaveLength(5);
    expect(pages).toEqual([...pages].sort().reverse());
    expect(first.body[0]).toEqual({
      id: pages[0],
      session_id: session.id,
      event: 'message',
      event_id: expect.stringMatching(/^evt_\d$/),
      status: 'failed',
      attempts: 6,
      note: 'broken',
      received_at: expect.any(String),
      applied_at: null,
      next_at: null,
      seen_at: null,
    });
  });

  it('is narrowed by status, session and event', async () => {
    const [one, two] = [await made(), await made()];
    await failed(one, 2);
    await failed(two, 1);
    await failed(two, 1, 'message.ack');
    await door.post(app, two, envelope(two, 'message', { payload: inbound('LISTED') }));
    await door.post(app, two, envelope(two, 'presence.update'));
    await eventually(async () => (await list(`status=pending&session_id=${two.id}`)).length === 0);
    const counts = [];
    for (const query of ['', '&event=message.ack', '&status=applied', '&status=ignored', '&status=pending&event=x'])
      counts.push((await list(`session_id=${two.id}${query}`)).length);
    expect(counts).toEqual([2, 1, 1, 1, 0]);
    expect(await list(`session_id=${NOBODYS}`)).toEqual([]);
    for (const query of ['status=done', 'session_id=x', `event=${'e'.repeat(65)}`, 'cursor=x'])
      expect((await admin.http.get(`/webhooks/events?${query}`)).outcome).toBe('400 VALIDATION_FAILED');
  });

  it('says of one that waits when it is tried', async () => {
    const session = await made();
    await door.post(app, session, envelope(session, 'message.ack', { payload: ack('WAITS', 2) }));
    const waiting = await eventually(async () => {
      const [event] = await list(`status=pending&session_id=${session.id}`);
      if (event?.note !== 'no such message yet') throw new Error('not tried yet');
      return event;
    });
    expect(waiting).toMatchObject({ next_at: expect.any(String), applied_at: null });
  });
});

describe('GET /webhooks/events/:id', () => {
  it('shows the body, and notes when somebody first looked at what failed', async () => {
    const session = await made();
    await failed(session, 1);
    const [event] = await list(`session_id=${session.id}`);
    const id = event?.id ?? '';
    expect(await view(id)).toEqual({ ...event, body: { event: 'message', n: 1 } });
    const { seen_at: first } = await view(id);
    expect(Date.parse(first ?? '')).toBeGreaterThan(Date.now() - 60_000);
    expect((await view(id)).seen_at).toBe(first);
    const other = await ignored(session, 'SEEN');
    await view(other);
    expect((await view(other)).seen_at).toBeNull();
    expect((await admin.http.get(`/webhooks/events/${NOBODYS}`)).outcome).toBe('404 NOT_FOUND');
    expect((await admin.http.get('/webhooks/events/evt_1')).outcome).toBe('400 VALIDATION_FAILED');
  });
});

describe('POST /webhooks/events/:id/replay', () => {
  it('applies what was ignored through the same door, and records who asked for it', async () => {
    const session = await made();
    const event = await ignored(session, 'LATE');
    const message = await app.make.message(session, { wa_id: 'LATE', status: 'sent', attempts: 1 });
    const answer = await replay(event);
    expect([answer.status, answer.body]).toEqual([
      202,
      expect.objectContaining({ id: event, status: 'pending', attempts: 0, note: null, next_at: expect.any(String) }),
    ]);
    expect((await door.settled(app, session)).map(({ status }) => status)).toEqual(['applied']);
    expect((await admin.http.get<WireMessage>(`/messages/${message}`)).body.status).toBe('delivered');
    const records = await auditRecords(app.owner, ['WEBHOOK_EVENT_REPLAYED'], event);
    expect(records).toMatchObject([{ tenant_id: app.tenantId, actor_id: admin.userId, metadata: {} }]);
    expect((await replay(event)).outcome).toBe('409 EVENT_STATE');
    expect(await auditRecords(app.owner, ['WEBHOOK_EVENT_REPLAYED'], event)).toHaveLength(1);
  });

  it('tries anew what was given up, from its first attempt, and forgets that it was looked at', async () => {
    const session = await made();
    const tooLong = `${'9'.repeat(200)}@c.us`;
    await door.post(app, session, envelope(session, 'message', { payload: inbound('BAD', 'x', tooLong) }));
    const givenUp = () =>
      eventually(
        async () => {
          await app.owner.query(
            `update webhook_events set next_at = now() where session_id = $1 and status = 'pending'`,
            [session.id],
          );
          const [event] = await list(`session_id=${session.id}`);
          if (!event) throw new Error('still tried');
          return event;
        },
        { timeoutMs: 20_000, what: 'it is given up' },
      );
    const { id, attempts, note } = await givenUp();
    expect([attempts, note]).toEqual([6, expect.stringContaining('messages_chat_check')]);
    await view(id);
    expect((await replay(id)).status).toBe(202);
    expect(await givenUp()).toMatchObject({ id, attempts: 6, seen_at: null });
    // What could not read it is mended.
    await app.owner.query(`update webhook_events set body = replace(body, $2, $3) where session_id = $1`, [
      session.id,
      tooLong,
      ALICE,
    ]);
    await replay(id);
    expect((await door.settled(app, session)).map(({ status }) => status)).toEqual(['applied']);
    expect(await door.messagesOf(admin.http, session)).toHaveLength(1);
  });

  it('refuses what waits and what is not there', async () => {
    const session = await made();
    await door.post(app, session, envelope(session, 'message.ack', { payload: ack('PENDING', 2) }));
    const [event] = await list(`status=pending&session_id=${session.id}`);
    const refused = await replay(event?.id ?? '');
    expect([refused.outcome, refused.text]).toEqual(['409 EVENT_STATE', expect.stringContaining('pending')]);
    expect((await replay(NOBODYS)).outcome).toBe('404 NOT_FOUND');
  });

  it('by many at once on two replicas is done once', async () => {
    const replica: NestFastifyApplication = await createTestApp({ DATABASE_URL: app.db.ownerUrl });
    const session = await made();
    const event = await ignored(session, 'TWICE');
    const message = await app.make.message(session, { wa_id: 'TWICE', status: 'sent', attempts: 1 });
    const token = admin.http.accessToken;
    const there = new Api(replica);
    const asked = Array.from({ length: 10 }, async (_, nth) =>
      nth % 2 === 0
        ? (await replay(event)).status
        : (await there.post(`/webhooks/events/${event}/replay`, undefined, { token })).statusCode,
    );
    const statuses = await Promise.all(asked);
    expect(statuses.sort()).toEqual([202, ...Array<number>(9).fill(409)]);
    await door.settled(app, session);
    const { body } = await admin.http.get<{ status: string }[]>(`/messages/${message}/events`);
    expect(body.map(({ status }) => status)).toEqual(['queued', 'delivered']);
    expect(await auditRecords(app.owner, ['WEBHOOK_EVENT_REPLAYED'], event)).toHaveLength(1);
    await replica.close();
  });
});
