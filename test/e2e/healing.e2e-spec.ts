import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import { becomes, reaches, send, sendsOf, workingSession, type WireSession } from '../support/whatsapp';

let app: TestApp;
let admin: LoggedIn;

const CONFIG = {
  SESSION_DEAF_AFTER_S: '1',
  SESSION_DEAF_RESTARTS: '2',
  SESSION_RESTART_PAUSE_MS: '50',
  SESSION_RESTART_PAUSE_MAX_MS: '200',
  SESSION_RESTARTS: '3',
  SESSION_STABLE_S: '2',
  WAHA_TIMEOUT_MS: '500',
};

beforeAll(async () => {
  app = await startTestApp({ config: CONFIG });
  admin = await app.login('TENANT_ADMIN');
});

afterAll(() => app.close());

const inSimulator = (session: WireSession, call: string, body: object = {}) =>
  app.simulator.post(`/simulator/sessions/${session.waha_name}/${call}`, body);
const shown = async (session: WireSession) => (await admin.http.get<WireSession>(`/waha/sessions/${session.id}`)).body;
const shows = (session: WireSession, what: Partial<WireSession>, timeoutMs = 15_000) =>
  eventually(
    async () => {
      const body = await shown(session);
      expect(body).toMatchObject(what);
      return body;
    },
    { timeoutMs, what: JSON.stringify(what) },
  );
const row = async (session: WireSession) => {
  const { rows } = await app.owner.query<{ restart_attempts: number; next_restart_at: Date | null }>(
    'select restart_attempts, next_restart_at from sessions where id = $1',
    [session.id],
  );
  return rows[0];
};

async function sendThree(session: WireSession): Promise<string[]> {
  const ids = [];
  for (const nth of [1, 2, 3]) {
    const message = { session_id: session.id, to: `551188887000${nth}`, text: `${nth}` };
    ids.push((await send(admin.http, message)).id);
  }
  for (const id of ids) await becomes(admin.http, id, 'sent', 'stalled');
  return ids;
}

const troubles = async (event: string) => {
  const { text } = await app.anybody.get('/metrics');
  return Number(new RegExp(`switchboard_session_troubles_total{event="${event}"} (\\d+)`).exec(text)?.[1] ?? 0);
};

describe('a session that hears nothing', () => {
  it('is deaf, is restarted once, and is well again as soon as it hears; nothing is sent twice', async () => {
    const session = await workingSession(app, admin.http, 'Deaf once');
    await inSimulator(session, 'deaf', { starts: 1 });
    await sendThree(session);
    const deaf = await shows(session, { health: 'deaf' });
    expect(deaf.reason).toContain('no message was confirmed or received');
    await shows(session, { status: 'WORKING', restarts: 1 });
    expect((await shown(session)).health).toBe('deaf');
    expect((await inSimulator(session, 'inbound', { from: '5511888870001', text: 'hello' })).status).toBe(201);
    await shows(session, { health: 'ok', reason: null, restarts: 1 });
    expect(await row(session)).toEqual({ restart_attempts: 0, next_restart_at: null });
    expect(await sendsOf(app, session)).toHaveLength(3);
    expect(await troubles('deaf')).toBeGreaterThanOrEqual(1);
    expect(await troubles('restarted_deaf')).toBeGreaterThanOrEqual(1);
  });

  it('is restarted so often and no more, stays deaf with the reason, and an ack ends it', async () => {
    const session = await workingSession(app, admin.http, 'Deaf for long');
    await inSimulator(session, 'deaf', { starts: 100 });
    await sendThree(session);
    const given = await shows(session, { health: 'deaf', reason: expect.stringContaining('2 restarts') as string });
    expect(given.restarts).toBe(2);
    expect((await row(session))?.next_restart_at).toBeNull();
    await inSimulator(session, 'deaf', { starts: 0 });
    await reaches(admin.http, session.id, 'WORKING');
    const { id } = await send(admin.http, { session_id: session.id, to: '5511888870009', text: 'heard?' });
    await becomes(admin.http, id, 'read');
    await shows(session, { health: 'ok', reason: null, restarts: 2 });
  });

  it('is not deaf while two messages only are unconfirmed, or something was heard since', async () => {
    const session = await workingSession(app, admin.http, 'Quiet');
    await inSimulator(session, 'deaf', { starts: 100 });
    for (const nth of [1, 2])
      await send(admin.http, { session_id: session.id, to: `551188887010${nth}`, text: `${nth}` });
    const other = await workingSession(app, admin.http, 'Clock');
    await inSimulator(other, 'deaf', { starts: 1 });
    await sendThree(other);
    await shows(other, { health: 'deaf' });
    expect(await shown(session)).toMatchObject({ health: 'ok', restarts: 0 });
  });
});

describe('a session that failed', () => {
  it('is restarted until it works, and its restarts are forgotten once it has worked for a while', async () => {
    const session = await workingSession(app, admin.http, 'Fails twice');
    await inSimulator(session, 'fail', { times: 2 });
    expect(await shows(session, { status: 'WORKING', restarts: 2 })).toMatchObject({ health: 'ok', reason: null });
    await eventually(async () => (await row(session))?.restart_attempts === 0);
    expect((await shown(session)).restarts).toBe(2);
  });

  it('is parked after its restarts, until somebody starts it', async () => {
    const session = await workingSession(app, admin.http, 'Fails on');
    await inSimulator(session, 'fail', { times: 5 });
    const parked = await shows(session, { health: 'parked', status: 'FAILED' });
    expect(parked).toMatchObject({ restarts: 3, reason: expect.stringContaining('3 restarts in a row') as string });
    expect(await row(session)).toEqual({ restart_attempts: 3, next_restart_at: null });
    expect(await troubles('given_up_failed')).toBe(1);
    // The start fails once more, and is healed: its restarts are counted anew.
    expect((await admin.http.post(`/waha/sessions/${session.id}/start`)).status).toBe(200);
    await shows(session, { status: 'WORKING', health: 'ok', reason: null });
  });

  it('is left alone once it should be stopped, and while it waits for a scan', async () => {
    const session = await workingSession(app, admin.http, 'Unlinked');
    await inSimulator(session, 'logout-from-phone');
    await shows(session, { status: 'SCAN_QR_CODE', restarts: 1 });
    expect((await row(session))?.next_restart_at).toBeNull();
    await inSimulator(session, 'fail');
    await admin.http.post(`/waha/sessions/${session.id}/stop`);
    await reaches(admin.http, session.id, 'STOPPED');
    expect((await row(session))?.next_restart_at).toBeNull();
  });
});
