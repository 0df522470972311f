import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { shutDown } from '../../src/platform/http/shutdown';
import { type Provisioned, SessionProvisioner } from '../../src/modules/waha/session-provisioner.service';
import { SharedStorage } from '../../src/simulator/shared-storage';
import { createTestApp } from '../support/app';
import type { HttpClient } from '../support/http-client';
import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import { ADMIN_API_KEY, type PoolMember, register, startMember, statusIn, type WireServer } from '../support/waha-pool';
import { startWahaProxy, type WahaProxy } from '../support/waha-proxy';
import { createSession, reaches, scan, send, sendsOf, type WireMessage, type WireSession } from '../support/whatsapp';

const PACE = { per_minute: 60_000, burst: 1, jitter_ms: 20, daily_cap: 1_000_000, first_contacts_per_day: 1_000_000 };
const CHATS = ['5511900000001', '5511900000002', '5511900000003'];

/** A move waits until every call begun before must have ended. */
jest.setTimeout(60_000);

let app: TestApp;
let platform: HttpClient;
let admin: LoggedIn;
let twin: PoolMember;
let stranger: PoolMember;
let toTwin: WahaProxy;
let replica: NestFastifyApplication;
let servers: { first: WireServer; twin: WireServer; stranger: WireServer };

beforeAll(async () => {
  const storage = new SharedStorage();
  app = await startTestApp({ config: { ADMIN_API_KEY, WAHA_TIMEOUT_MS: '2000' }, simulator: { storage } });
  platform = app.anybody.with({ 'x-api-key': ADMIN_API_KEY });
  admin = await app.login('TENANT_ADMIN');
  [twin, stranger] = await Promise.all([startMember({ storage }), startMember()]);
  // A second process works on the same database.
  replica = await createTestApp({
    DATABASE_URL: app.db.ownerUrl,
    WAHA_BASE_URL: app.simulator.baseUrl,
    WAHA_WEBHOOK_URL: `${app.url}/webhooks/waha`,
    WAHA_TIMEOUT_MS: '2000',
    ROLE: 'worker',
  });
  await replica.init();
  toTwin = await startWahaProxy();
  toTwin.leadTo(twin.url);
});

afterAll(async () => {
  expect(await shutDown(replica, 20_000)).toBe(true);
  await app.close();
  await Promise.all([twin.close(), stranger.close(), toTwin.close()]);
});

const details = async ({ id }: WireServer) => (await platform.get<WireServer>(`/waha/servers/${id}`)).body;
const now = async ({ id }: WireSession) => (await admin.http.get<WireSession>(`/waha/sessions/${id}`)).body;
const drain = async ({ id }: WireServer) => expect((await platform.post(`/waha/servers/${id}/drain`)).status).toBe(200);
const arrives = (session: WireSession, server: WireServer) =>
  eventually(
    async () => {
      const { moving, server: at, status } = await now(session);
      if (moving || at !== server.id || status !== 'WORKING') throw new Error(JSON.stringify({ moving, at, status }));
    },
    { what: 'the session to arrive', timeoutMs: 30_000 },
  );

describe('draining a server', () => {
  let session: WireSession;
  const accepted: WireMessage[] = [];

  it('moves its sessions to a server of the group without a scan, each message once and in order', async () => {
    session = await scan(app, admin.http, await createSession(admin.http, 'moves', PACE));
    const [first] = (await platform.get<WireServer[]>('/waha/servers')).body as [WireServer];
    await platform.call('PATCH', `/waha/servers/${first.id}`, { storage_group: 'pg' });
    servers = {
      first,
      twin: await register(platform, toTwin.url, { storage_group: 'pg' }),
      stranger: await register(platform, stranger.url),
    };
    const sendMore = async (count: number) => {
      for (let n = 0; n < count; n += 1) {
        const text = `text ${accepted.length}`;
        accepted.push(
          await send(admin.http, { to: CHATS[accepted.length % CHATS.length], text, session_id: session.id }),
        );
      }
    };
    await sendMore(150);
    await drain(first);
    await sendMore(60);
    // It is not started on the new server while the old one runs it.
    await eventually(
      async () => {
        const [old, there] = [await statusIn(app, session.waha_name), await statusIn(twin, session.waha_name)];
        if (old !== 'STOPPED' && there !== 'gone' && there !== 'STOPPED') throw new Error(`two: ${old}, ${there}`);
        return there === 'WORKING';
      },
      { what: 'the session on the new server', timeoutMs: 30_000, everyMs: 5 },
    );
    await arrives(session, servers.twin);
    expect(await statusIn(app, session.waha_name)).toBe('STOPPED');
    await eventually(
      async () => {
        const { rows } = await app.owner.query(
          `select status, count(*)::int as n from messages where session_id = $1 and direction = 'outbound' group by 1`,
          [session.id],
        );
        const open = rows.filter(({ status }) => ['queued', 'sending', 'unknown'].includes(status as string));
        if (open.length > 0) throw new Error(JSON.stringify(rows));
      },
      { what: 'all messages sent', timeoutMs: 60_000 },
    );
    const sends = [...(await sendsOf(app, session)), ...(await sendsOf(twin, session))];
    expect(sends.map(({ text }) => text).sort()).toEqual(accepted.map((_, n) => `text ${n}`).sort());
    for (const chat of CHATS) {
      const numbers = sends.filter(({ chatId }) => chatId.startsWith(chat)).map(({ text }) => Number(text.slice(5)));
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    }
    expect((await sendsOf(twin, session)).length).toBeGreaterThan(0);
  });

  it('leaves the server empty, and on record what moved', async () => {
    expect(await details(servers.first)).toMatchObject({ sessions: 0, needs_scan: [], leaving: [] });
    const { rows } = await app.owner.query(
      `select metadata->>'to' as to from audit_logs where resource = $1 and metadata->>'action' = 'moved'`,
      [`session:${session.id}`],
    );
    expect(rows).toEqual([{ to: servers.twin.id }]);
  });

  it('goes on after WAHA fails to start it: it is not started anywhere else, and arrives when it can', async () => {
    await platform.post(`/waha/servers/${servers.first.id}/activate`);
    toTwin.spoil(({ path }) => (path.endsWith('/stop') ? { status: 500, body: {}, done: false } : undefined));
    await drain(servers.twin);
    await eventually(async () => (await now(session)).moving, { what: 'the move', timeoutMs: 10_000 });
    await eventually(() => toTwin.calls.filter(({ path }) => path.endsWith('/stop')).length >= 2, {
      timeoutMs: 20_000,
    });
    // The old server has not confirmed: nothing runs on the new one.
    expect(await statusIn(app, session.waha_name)).toBe('STOPPED');
    expect((await details(servers.twin)).leaving).toEqual([
      { tenant_id: app.tenantId, session_id: session.id, waha_name: session.waha_name },
    ]);
    expect((await admin.http.post(`/waha/sessions/${session.id}/logout`)).outcome).toBe('409 SESSION_NOT_READY');
    expect((await admin.http.post<WireSession>(`/waha/sessions/${session.id}/start`)).body.status).toBe('STOPPED');
    expect(await statusIn(app, session.waha_name)).toBe('STOPPED');
    toTwin.spoil(() => undefined);
    await arrives(session, servers.first);
    expect(await statusIn(twin, session.waha_name)).toBe('STOPPED');
    await platform.post(`/waha/servers/${servers.twin.id}/activate`);
  });
});

describe('a process that dies while it moves a session', () => {
  let session: WireSession;

  beforeAll(async () => {
    [session] = (await admin.http.get<WireSession[]>('/waha/sessions')).body as [WireSession];
  });

  const leftBehind = (columns: string) =>
    app.owner.query(
      `update sessions set status = 'STOPPED', move_kind = 'login', move_at = now(), ${columns} where id = $1`,
      [session.id],
    );

  it('after the old server had stopped it, has another do that again and go on', async () => {
    expect(session.server).toBe(servers.first.id);
    await app.simulator.post(`/api/sessions/${session.waha_name}/stop`, {});
    const calls = toTwin.calls.length;
    await leftBehind(`leaving_server_id = '${servers.twin.id}', moving_since = now() - interval '1 minute'`);
    await arrives(session, servers.first);
    expect(toTwin.calls.slice(calls).map(({ path }) => path)).toContain(`/api/sessions/${session.waha_name}/stop`);
  });

  it('after the old server was left, before the new one was asked, has another start it', async () => {
    await app.simulator.post(`/api/sessions/${session.waha_name}/stop`, {});
    await leftBehind('leaving_server_id = null, moving_since = null');
    await arrives(session, servers.first);
    await eventually(async () => {
      const { rows } = await app.owner.query('select move_at from sessions where id = $1', [session.id]);
      expect(rows).toEqual([{ move_at: null }]);
    });
  });

  it('is no danger when it wakes up late and starts the session where it was: that is undone', async () => {
    const { rows } = await app.owner.query<Provisioned>(
      'select tenant_id, id, waha_name, webhook_secret from sessions where id = $1',
      [session.id],
    );
    const stale = { ...(rows[0] as Provisioned), server_id: servers.twin.id };
    await replica.get(SessionProvisioner).start(stale);
    expect(await statusIn(twin, session.waha_name)).toBe('STOPPED');
    const ofSession = toTwin.calls.filter(({ path }) => path.includes(session.waha_name));
    expect(ofSession.at(-1)?.path).toBe(`/api/sessions/${session.waha_name}/stop`);
  });

  it('can leave a session deleted in the middle: nothing of it stays anywhere', async () => {
    const gone = await scan(twin, admin.http, await createSession(admin.http, 'deleted on its way', PACE));
    toTwin.spoil(({ path }) => (path.endsWith('/stop') ? { status: 500, body: {} } : undefined));
    const from = gone.server === servers.twin.id ? servers.twin : servers.first;
    expect(from).toBe(servers.twin);
    await drain(from);
    await eventually(async () => (await now(gone)).moving);
    expect((await admin.http.call('DELETE', `/waha/sessions/${gone.id}`)).status).toBe(204);
    toTwin.spoil(() => undefined);
    expect([await statusIn(app, gone.waha_name), await statusIn(twin, gone.waha_name)]).toEqual(['gone', 'gone']);
    await platform.post(`/waha/servers/${from.id}/activate`);
  });
});

describe('a session that cannot be moved', () => {
  it('is listed, goes on where it is, and moves by being logged out and scanned', async () => {
    for (const server of [servers.first, servers.twin]) await drain(server);
    const session = await scan(stranger, admin.http, await createSession(admin.http, 'stays', PACE));
    expect(session.server).toBe(servers.stranger.id);
    await platform.post(`/waha/servers/${servers.first.id}/activate`);
    await drain(servers.stranger);
    await eventually(async () => (await now(session)).needs_scan, { what: 'the mark' });
    expect((await details(servers.stranger)).needs_scan).toEqual([
      { tenant_id: app.tenantId, session_id: session.id, waha_name: session.waha_name },
    ]);
    await send(admin.http, { to: CHATS[0], text: 'still here', session_id: session.id });
    await eventually(async () => (await sendsOf(stranger, session)).length === 1);
    const moved = await admin.http.post<WireSession>(`/waha/sessions/${session.id}/logout`);
    expect(moved.body).toMatchObject({ server: servers.first.id, moving: true, needs_scan: true });
    const waiting = await send(admin.http, { to: CHATS[1], text: 'waits', session_id: session.id });
    await reaches(admin.http, session.id, 'SCAN_QR_CODE').catch(() => reaches(admin.http, session.id, 'SCAN_QR_CODE'));
    expect(await statusIn(stranger, session.waha_name)).toBe('gone');
    expect((await admin.http.get<WireMessage>(`/messages/${waiting.id}`)).body.status).toBe('queued');
    await scan(app, admin.http, session);
    await eventually(async () => (await sendsOf(app, session)).length === 1);
    await eventually(async () => !(await now(session)).needs_scan);
    expect(await details(servers.stranger)).toMatchObject({ sessions: 0, needs_scan: [], leaving: [] });
  });

  it('is no longer marked when its server is used again', async () => {
    await platform.post(`/waha/servers/${servers.stranger.id}/activate`);
    await platform.post(`/waha/servers/${servers.twin.id}/drain`);
    await platform.call('PATCH', `/waha/servers/${servers.first.id}`, { capacity: 1 });
    const session = await createSession(admin.http, 'comes and stays');
    expect(session.server).toBe(servers.stranger.id);
    await drain(servers.stranger);
    await eventually(async () => (await now(session)).needs_scan);
    await platform.post(`/waha/servers/${servers.stranger.id}/activate`);
    await eventually(async () => !(await now(session)).needs_scan);
    await drain(servers.stranger);
    await eventually(async () => (await now(session)).needs_scan);
    expect((await admin.http.post(`/waha/sessions/${session.id}/logout`)).outcome).toBe('503 WAHA_POOL_FULL');
  });
});
