import { SessionReconciler } from '../../src/modules/waha/session-reconciler.service';
import { SharedStorage } from '../../src/simulator/shared-storage';
import type { HttpClient } from '../support/http-client';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import { ADMIN_API_KEY, type PoolMember, register, startMember, statusIn, type WireServer } from '../support/waha-pool';
import { startWahaProxy, type WahaProxy } from '../support/waha-proxy';
import { becomes, send, sendsOf, workingSession, type WireSession } from '../support/whatsapp';

jest.setTimeout(60_000);

const DEAD_AFTER_S = 1;

let app: TestApp;
let proxy: WahaProxy;
let twin: PoolMember;
let platform: HttpClient;
let admin: LoggedIn;
let session: WireSession;

beforeAll(async () => {
  const storage = new SharedStorage();
  proxy = await startWahaProxy();
  const config = { ADMIN_API_KEY, WAHA_BASE_URL: proxy.url, WAHA_DEAD_AFTER_S: String(DEAD_AFTER_S) };
  app = await startTestApp({ config: { ...config, WAHA_TIMEOUT_MS: '1000' }, simulator: { storage } });
  proxy.leadTo(app.simulator.baseUrl);
  platform = app.anybody.with({ 'x-api-key': ADMIN_API_KEY });
  admin = await app.login('TENANT_ADMIN');
  session = await workingSession(app, admin.http);
  twin = await startMember({ storage });
  await platform.call('PATCH', `/waha/servers/${(await own()).id}`, { storage_group: 'pg' });
  await register(platform, twin.url, { storage_group: 'pg' });
});

afterEach(() => proxy.spoil(() => undefined));

afterAll(async () => {
  await app.close();
  await proxy.close();
  await twin.close();
});

const own = async (): Promise<WireServer> => {
  const { body } = await platform.get<WireServer[]>('/waha/servers');
  return body.find((server) => server.from_config) as WireServer;
};
const now = async () => (await admin.http.get<WireSession>(`/waha/sessions/${session.id}`)).body;
const reconcile = () => app.app.get(SessionReconciler).reconcile();
const sends = () => proxy.calls.filter(({ path }) => path === '/api/sendText').length;
const refuse = (status: number, message: string) => ({ status, body: { message, statusCode: status } });
const isParked = (reason: string) =>
  eventually(async () => expect(await now()).toMatchObject({ status: 'WORKING', health: 'parked', reason }));

describe('a server that answers and refuses', () => {
  it.each([
    [401, 'Unauthorized'],
    [403, 'Forbidden'],
    [429, 'Too many'],
    [503, 'Not now'],
  ])('with %i is never dead: its sessions stay, and it says why', async (status, message) => {
    proxy.spoil(() => refuse(status, message));
    const since = performance.now();
    await eventually(
      async () => {
        expect(await reconcile()).not.toEqual([]);
        return performance.now() - since > (DEAD_AFTER_S + 2) * 1_000;
      },
      { everyMs: 200 },
    );
    expect(await own()).toMatchObject({ status: 'refused', status_reason: `WAHA answered ${status}: ${message}` });
    expect(await now()).toMatchObject({ server: (await own()).id, moving: false, needs_scan: false });
    expect([await statusIn(app, session.waha_name), await statusIn(twin, session.waha_name)]).toEqual([
      'WORKING',
      'gone',
    ]);
    proxy.spoil(() => undefined);
    expect(await reconcile()).toEqual([]);
    expect(await own()).toMatchObject({ status: 'up', status_reason: null });
  });

  it('parks what it refuses to send, and what waits leaves as soon as it accepts calls again', async () => {
    proxy.spoil(() => refuse(401, 'Unauthorized'));
    const message = await send(admin.http, { to: '5511900000201', text: 'waits for the key' });
    await isParked('WAHA refuses what is sent: Unauthorized');
    await eventually(async () => (await own()).status === 'refused', { what: 'the server is asked at once' });
    proxy.spoil(() => undefined);
    expect(await reconcile()).toEqual([]);
    await becomes(admin.http, message.id, 'sent', 'delivered', 'read');
    expect(await now()).toMatchObject({ health: 'ok', reason: null });
  });

  it.each([
    [403, 'Forbidden'],
    [404, 'Not Found'],
  ])('a session with %i parks it with the reason, and no round of the reconciler opens it', async (status, message) => {
    proxy.spoil(({ path }) => (path === '/api/sendText' ? refuse(status, message) : undefined));
    const before = sends();
    const first = await send(admin.http, { to: '5511900000202', text: 'refused' });
    await isParked(`WAHA refuses what is sent: ${message}`);
    for (let round = 0; round < 3; round += 1) expect(await reconcile()).toEqual([]);
    const second = await send(admin.http, { to: '5511900000203', text: 'waits behind it' });
    await app.simulator.post(`/simulator/sessions/${session.waha_name}/event`, {
      ...{ event: 'session.status', payload: { name: session.waha_name, status: 'WORKING' } },
    });
    expect(await reconcile()).toEqual([]);
    expect([sends() - before, (await now()).health]).toEqual([1, 'parked']);
    proxy.spoil(() => undefined);
    // Somebody has mended it and says so.
    expect((await admin.http.post(`/waha/sessions/${session.id}/start`)).status).toBe(200);
    for (const { id } of [first, second]) await becomes(admin.http, id, 'sent', 'delivered', 'read');
    expect(await now()).toMatchObject({ health: 'ok', reason: null });
  });

  it('is asked anew after a pause that grows with each refusal', async () => {
    proxy.spoil(({ path }) => (path === '/api/sendText' ? refuse(403, 'Forbidden') : undefined));
    const message = await send(admin.http, { to: '5511900000204', text: 'tried again' });
    const pause = async (minutes: number) => {
      await app.owner.query(`update waha_servers set accepts_since = now() - interval '1 day'`);
      await app.owner.query(`update lanes set refused_at = now() - $1 * interval '1 minute'`, [minutes]);
      expect(await reconcile()).toEqual([]);
    };
    await isParked('WAHA refuses what is sent: Forbidden');
    const first = sends();
    await pause(1);
    expect(sends()).toBe(first);
    await pause(2.1);
    await eventually(() => sends() === first + 1, { what: 'the second attempt' });
    await isParked('WAHA refuses what is sent: Forbidden');
    await pause(2.1);
    expect([sends(), (await now()).health]).toEqual([first + 1, 'parked']);
    proxy.spoil(() => undefined);
    await pause(4.1);
    await becomes(admin.http, message.id, 'sent', 'delivered', 'read');
    expect((await sendsOf(app, session)).filter(({ text }) => text === 'tried again')).toHaveLength(1);
  });
});

describe('a session that leaves a dead server', () => {
  it('does not leave it while it answers: what it says must be that the session is stopped', async () => {
    const { id } = await own();
    // It seems dead to us, whatever the rounds of the reconciler find out meanwhile, and refuses to stop the session.
    const seemsDead = () =>
      app.owner.query(
        `update waha_servers set status = 'down', down_since = now() - interval '1 hour', checked_at = now() where id = $1`,
        [id],
      );
    const stops = () => proxy.calls.filter(({ path }) => path.endsWith('/stop')).length;
    proxy.spoil(({ path }) => (path.endsWith('/stop') ? refuse(403, 'Forbidden') : undefined));
    await eventually(async () => (await seemsDead()) && stops() >= 2, {
      ...{ what: 'two stops that are refused', timeoutMs: 20_000 },
    });
    expect([(await now()).moving, await statusIn(twin, session.waha_name)]).toEqual([true, 'gone']);
    proxy.spoil(() => undefined);
    await eventually(
      async () => {
        const { moving, server, status } = await now();
        if (moving || server === id || status !== 'WORKING') throw new Error(`${moving} ${server} ${status}`);
      },
      { timeoutMs: 20_000 },
    );
    expect(await statusIn(app, session.waha_name)).toBe('STOPPED');
  });
});
