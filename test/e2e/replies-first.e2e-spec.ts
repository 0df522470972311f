import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { startWahaProxy, type WahaProxy } from '../support/waha-proxy';
import { becomes, NO_PACE, scan, send, sendsOf, type WireMessage, type WireSession } from '../support/whatsapp';
import { eventually } from '../support/wait';

let app: TestApp;
let proxy: WahaProxy;
let admin: LoggedIn;

beforeAll(async () => {
  proxy = await startWahaProxy();
  app = await startTestApp({ config: { WAHA_BASE_URL: proxy.url } });
  proxy.leadTo(app.simulator.baseUrl);
  admin = await app.login('TENANT_ADMIN');
});

afterEach(() => proxy.spoil(() => undefined));

afterAll(async () => {
  await app.close();
  await proxy.close();
});

async function sessionAt(name: string, pace: object): Promise<WireSession> {
  const { body } = await admin.http.post<WireSession>('/waha/sessions', { name, pace: { ...NO_PACE, ...pace } });
  return scan(app, admin.http, body);
}

const writes = ({ waha_name }: WireSession, phone: string) =>
  app.simulator.post(`/simulator/sessions/${waha_name}/inbound`, { from: phone, text: 'hello' });

/** Somebody writes, and we know. */
async function hears(session: WireSession, phone: string): Promise<void> {
  await writes(session, phone);
  await eventually(
    async () => {
      const answer = await admin.http.get<WireMessage[]>(`/messages?session_id=${session.id}&direction=inbound`);
      return answer.body.some(({ chat }) => chat === `${phone}@c.us`);
    },
    { what: 'the message to come in' },
  );
}

const to = (session: WireSession, phone: string) =>
  send(admin.http, { session_id: session.id, to: phone, text: `to ${phone}` });

const orderOf = async (session: WireSession) => (await sendsOf(app, session)).map(({ chatId }) => chatId);

describe('replies', () => {
  it('go before what waits, also where they waited with it', async () => {
    const session = await sessionAt('Hot', { per_minute: 120, burst: 1 });
    const crowd = Array.from({ length: 24 }, (_, n) => `55118888830${String(n).padStart(2, '0')}`);
    for (const phone of crowd) await to(session, phone);
    const waiting = crowd[23] ?? '';
    await Promise.all([hears(session, '5511888883999'), hears(session, waiting)]);
    const reply = await to(session, '5511888883999');
    await becomes(admin.http, reply.id, 'sent', 'delivered', 'read');
    await eventually(async () => (await orderOf(session)).length >= 12, { what: 'half of them to leave' });
    const order = await orderOf(session);
    expect(order.slice(0, 10)).toEqual(expect.arrayContaining(['5511888883999@c.us', `${waiting}@c.us`]));
    const { today } = (await admin.http.get<WireSession>(`/waha/sessions/${session.id}`)).body;
    expect(today.sent).toBeGreaterThanOrEqual(12);
  }, 40_000);
});

describe('first contacts', () => {
  it('over their cap wait, unless they write themselves', async () => {
    const session = await sessionAt('Shy', { first_contacts_per_day: 1 });
    await hears(session, '5511888884001');
    const [first, second] = [await to(session, '5511888884002'), await to(session, '5511888884003')];
    const known = await to(session, '5511888884001');
    for (const { id } of [first, known]) await becomes(admin.http, id, 'sent', 'delivered', 'read');
    const again = await to(session, '5511888884002'); // nobody new any more
    await becomes(admin.http, again.id, 'sent', 'delivered', 'read');
    expect((await admin.http.get<WireMessage>(`/messages/${second.id}`)).body.status).toBe('queued');
    expect((await admin.http.get<WireSession>(`/waha/sessions/${session.id}`)).body.today).toEqual({
      sent: 3,
      first_contacts: 1,
    });
    await writes(session, '5511888884003');
    await becomes(admin.http, second.id, 'sent', 'delivered', 'read');
  });

  it('that WhatsApp refuses wait with all others, and known chats go on', async () => {
    const session = await sessionAt('Locked', {});
    await hears(session, '5511888885001');
    proxy.spoil(({ path, body }) =>
      path.startsWith('/api/send') && body.includes('5511888885002')
        ? { status: 500, body: { statusCode: 500, exception: { message: '2 UNKNOWN: server returned error 463' } } }
        : undefined,
    );
    const refused = await to(session, '5511888885002');
    await eventually(
      async () => (await admin.http.get<WireMessage>(`/messages/${refused.id}`)).body.error_code === 'REACH_OUT_LOCKED',
      { what: 'the refusal' },
    );
    const stranger = await to(session, '5511888885003');
    const known = await to(session, '5511888885001');
    await becomes(admin.http, known.id, 'sent', 'delivered', 'read');
    for (const { id } of [refused, stranger])
      expect((await admin.http.get<WireMessage>(`/messages/${id}`)).body.status).toBe('queued');
    proxy.spoil(() => undefined);
    await writes(session, '5511888885002');
    await becomes(admin.http, refused.id, 'sent', 'delivered', 'read');
    expect(await orderOf(session)).toEqual(['5511888885001@c.us', '5511888885002@c.us']);
  });
});

describe("WhatsApp's own word of new chats", () => {
  const statusOf = async ({ id }: WireMessage) => (await admin.http.get<WireMessage>(`/messages/${id}`)).body.status;
  const tells = ({ waha_name }: WireSession, data: object) =>
    app.simulator.post(`/simulator/sessions/${waha_name}/event`, {
      event: 'session.status',
      payload: { name: waha_name, status: 'WORKING', statuses: [], data },
    });
  const lock = (isActive: boolean, inSeconds: number) => ({
    reachoutTimelock: { enforcementType: 'X', isActive, timeEnforcementEnds: Date.now() / 1_000 + inSeconds },
  });
  const closedFor = async ({ id }: WireSession): Promise<number | null> => {
    const { rows } = await app.owner.query<{ seconds: number | null }>(
      'select extract(epoch from firsts_closed_until - now())::float8 as seconds from lanes where session_id = $1',
      [id],
    );
    return rows[0]?.seconds ?? null;
  };

  it('holds first contacts before any was refused, and lets them go once it is lifted; known chats go on', async () => {
    const session = await sessionAt('Told', {});
    await hears(session, '5511888887001');
    await tells(session, lock(true, 7_200));
    await eventually(async () => ((await closedFor(session)) ?? 0) > 7_000, { what: 'the lock to be known' });
    const stranger = await to(session, '5511888887002');
    const known = await to(session, '5511888887001');
    await becomes(admin.http, known.id, 'sent', 'delivered', 'read');
    expect(await statusOf(stranger)).toBe('queued');
    await tells(session, lock(false, 7_200));
    await becomes(admin.http, stranger.id, 'sent', 'delivered', 'read');
  }, 30_000);

  it('stands in the place of the hour that a refusal closes them for', async () => {
    const session = await sessionAt('Guessed', {});
    await app.owner.query(`update lanes set firsts_closed_until = now() + interval '1 hour' where session_id = $1`, [
      session.id,
    ]);
    const stranger = await to(session, '5511888888002');
    await tells(session, { messageCapping: { cappingStatus: 'CAPPED', cycleEnd: Date.now() / 1_000 + 3 } });
    await becomes(admin.http, stranger.id, 'sent', 'delivered', 'read');
  }, 30_000);
});

describe('a lane that sleeps though something waits in it', () => {
  it('is woken by whoever looks', async () => {
    const session = await sessionAt('Forgotten', {});
    await app.owner.query(`update lanes set state = 'parked' where session_id = $1`, [session.id]);
    const message = await to(session, '5511888886001');
    await app.owner.query(`update lanes set state = 'open', next_at = null where session_id = $1`, [session.id]);
    await eventually(
      async () => (await admin.http.get<WireMessage>(`/messages/${message.id}`)).body.status !== 'queued',
      { what: 'the message to leave', timeoutMs: 20_000, everyMs: 250 },
    );
  }, 30_000);
});
