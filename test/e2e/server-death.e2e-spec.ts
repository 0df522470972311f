import { SessionReconciler } from '../../src/modules/waha/session-reconciler.service';
import { SharedStorage } from '../../src/simulator/shared-storage';
import type { HttpClient } from '../support/http-client';
import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import { ADMIN_API_KEY, type PoolMember, register, startMember, statusIn, type WireServer } from '../support/waha-pool';
import { becomes, createSession, NO_PACE, scan, send, sendsOf, type WireSession } from '../support/whatsapp';

const CHAT = '5511900000009';

/** Servers are dead for some seconds. */
jest.setTimeout(60_000);

let app: TestApp;
let platform: HttpClient;
let admin: LoggedIn;
let twin: PoolMember;

beforeAll(async () => {
  const storage = new SharedStorage();
  const config = { ADMIN_API_KEY, WAHA_TIMEOUT_MS: '1000', WAHA_DEAD_AFTER_S: '3' };
  app = await startTestApp({ config, simulator: { storage } });
  platform = app.anybody.with({ 'x-api-key': ADMIN_API_KEY });
  admin = await app.login('TENANT_ADMIN');
  twin = await startMember({ storage });
});

afterAll(async () => {
  await app.close();
  await twin.close();
});

const now = async ({ id }: WireSession) => (await admin.http.get<WireSession>(`/waha/sessions/${id}`)).body;
const reconcile = () => app.app.get(SessionReconciler).reconcile();

describe('a server that dies', () => {
  it('has its sessions go on elsewhere in its group; what comes back with it is stopped', async () => {
    const session = await scan(app, admin.http, await createSession(admin.http, 'survives', NO_PACE));
    const [first] = (await platform.get<WireServer[]>('/waha/servers')).body as [WireServer];
    await platform.call('PATCH', `/waha/servers/${first.id}`, { storage_group: 'pg' });
    const other = await register(platform, twin.url, { storage_group: 'pg' });
    const before = await send(admin.http, { to: CHAT, text: 'before', session_id: session.id });
    await becomes(admin.http, before.id, 'sent', 'delivered', 'read');
    const downMs = 18_000;
    await app.simulator.post('/simulator/restart', { down_ms: downMs });
    const died = performance.now();
    await reconcile();
    const meanwhile = await send(admin.http, { to: CHAT, text: 'meanwhile', session_id: session.id });
    expect(await now(session)).toMatchObject({ server: first.id, moving: false });
    await eventually(
      async () => {
        await reconcile();
        const { server, moving, status } = await now(session);
        if (server !== other.id || moving || status !== 'WORKING') throw new Error(`${server} ${moving} ${status}`);
      },
      { what: 'the session on the other server', timeoutMs: 17_000, everyMs: 500 },
    );
    expect(performance.now() - died).toBeGreaterThan(3_000);
    await becomes(admin.http, meanwhile.id, 'sent', 'delivered', 'read');
    // It comes back, and starts what it ran when it died: that is stopped, by whichever round sees it first.
    await eventually(async () => (await app.simulator.get('/api/server/version')).status === 200, {
      timeoutMs: downMs,
    });
    await eventually(async () => {
      await reconcile();
      expect(await statusIn(app, session.waha_name)).toBe('STOPPED');
    });
    await eventually(async () => {
      expect(await reconcile()).toEqual([]);
      expect(await now(session)).toMatchObject({ server: other.id, status: 'WORKING', needs_scan: false });
    });
    expect(await statusIn(twin, session.waha_name)).toBe('WORKING');
    const after = await send(admin.http, { to: CHAT, text: 'after', session_id: session.id });
    await becomes(admin.http, after.id, 'sent', 'delivered', 'read');
    expect((await sendsOf(app, session)).map(({ text }) => text)).toEqual(['before']);
    expect((await sendsOf(twin, session)).map(({ text }) => text)).toEqual(['meanwhile', 'after']);
  });

  it('keeps what cannot go on elsewhere, marked and parked, until it is back', async () => {
    const { body: servers } = await platform.get<WireServer[]>('/waha/servers');
    const other = servers.find(({ from_config: own }) => !own) as WireServer;
    await platform.call('PATCH', `/waha/servers/${other.id}`, { storage_group: null });
    const session = (await admin.http.get<WireSession[]>('/waha/sessions')).body[0] as WireSession;
    expect(session.server).toBe(other.id);
    await twin.simulator.post('/simulator/restart', { down_ms: 10_000 });
    await eventually(
      async () => {
        await reconcile();
        return (await now(session)).needs_scan;
      },
      { what: 'the mark', timeoutMs: 9_500, everyMs: 300 },
    );
    const waits = await send(admin.http, { to: CHAT, text: 'waits', session_id: session.id });
    const { rows } = await app.owner.query('select state from lanes where session_id = $1', [session.id]);
    expect(rows).toEqual([{ state: 'parked' }]);
    await eventually(
      async () => {
        await reconcile();
        expect(await now(session)).toMatchObject({ server: other.id, status: 'WORKING', needs_scan: false });
      },
      { what: 'the session back', timeoutMs: 20_000, everyMs: 300 },
    );
    await becomes(admin.http, waits.id, 'sent', 'delivered', 'read');
  });
});
