import { SessionHealingRepository } from '../../src/modules/waha/session-healing.repository';
import { SessionHealer } from '../../src/modules/waha/session-healer.service';
import { SessionReconciler } from '../../src/modules/waha/session-reconciler.service';
import { SYSTEM_STATEMENTS } from '../../src/platform/database/system-statements';
import { shutDown } from '../../src/platform/http/shutdown';
import { createTestApp } from '../support/app';
import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';
import { startWahaProxy, type WahaProxy } from '../support/waha-proxy';
import { eventually } from '../support/wait';
import { workingSession, type WireSession } from '../support/whatsapp';

const WAHA_TIMEOUT_MS = 500;
const CONFIG = {
  SESSION_RESTART_PAUSE_MS: '300',
  SESSION_RESTART_PAUSE_MAX_MS: '300',
  WAHA_TIMEOUT_MS: String(WAHA_TIMEOUT_MS),
};

let app: TestApp;
let proxy: WahaProxy;
let admin: LoggedIn;

beforeAll(async () => {
  proxy = await startWahaProxy();
  app = await startTestApp({ config: { ...CONFIG, WAHA_BASE_URL: proxy.url, SESSION_RESTARTS_AT_ONCE: '2' } });
  proxy.leadTo(app.simulator.baseUrl);
  admin = await app.login('TENANT_ADMIN');
});

afterEach(() => proxy.spoil(() => undefined));

afterAll(async () => {
  await app.close();
  await proxy.close();
});

const isRestartOf =
  ({ waha_name: name }: WireSession) =>
  ({ path }: { path: string }) =>
    path === `/api/sessions/${name}/restart`;
const restartsOf = (session: WireSession) => proxy.calls.filter(isRestartOf(session));
const fail = (session: WireSession) => app.simulator.post(`/simulator/sessions/${session.waha_name}/fail`, {});

const serversAre = (status: string) => app.owner.query('update waha_servers set status = $1', [status]);

interface Row {
  status: string;
  health: string;
  restarts: number;
  restart_attempts: number;
  due: boolean | null;
}
const rowOf = async ({ id }: WireSession) => {
  const { rows } = await app.owner.query<Row>(
    `select status, health, restarts, restart_attempts, next_restart_at <= now() as due from sessions where id = $1`,
    [id],
  );
  return rows[0];
};
const isShown = (session: WireSession, what: Partial<Row>) =>
  eventually(async () => expect(await rowOf(session)).toMatchObject(what), { timeoutMs: 15_000 });

describe('restarts of failed sessions', () => {
  it('that nobody made, as the process died with them, come due again, and no earlier than a call may take', async () => {
    const session = await workingSession(app, admin.http, 'Dies');
    await serversAre('down');
    await fail(session);
    await isShown(session, { status: 'FAILED', due: true });
    // Somebody takes the restart and dies: the call is never made.
    await app.owner.query('begin');
    await serversAre('up');
    const params = [10, 300, 300, 900_000, WAHA_TIMEOUT_MS + 2_000, 10, 3];
    const { rowCount } = await app.owner.query(SYSTEM_STATEMENTS.takeRestarts.text, params);
    await app.owner.query('commit');
    expect(rowCount).toBe(1);
    const at = performance.now();
    await eventually(() => restartsOf(session).length === 1, { timeoutMs: 15_000 });
    expect(performance.now() - at).toBeGreaterThan(WAHA_TIMEOUT_MS);
    await isShown(session, { status: 'WORKING', restarts: 2, restart_attempts: 2 });
  });

  it('are made once, however many workers look', async () => {
    const session = await workingSession(app, admin.http, 'Once');
    const second = await createTestApp({ ...CONFIG, DATABASE_URL: app.db.ownerUrl, WAHA_BASE_URL: proxy.url });
    try {
      await second.init();
      await fail(session);
      await isShown(session, { status: 'FAILED' });
      for (let look = 0; look < 20; look += 1)
        await Promise.all([second, app.app].map((each) => each.get(SessionHealer).heal()));
      await isShown(session, { status: 'WORKING', restarts: 1 });
      expect(restartsOf(session)).toHaveLength(1);
    } finally {
      expect(await shutDown(second, 10_000)).toBe(true);
    }
  });

  it('are so many at once and no more over all processes, and a WAHA that hangs holds up nobody for longer', async () => {
    const sessions: WireSession[] = [];
    const bound = { ...CONFIG, SESSION_RESTARTS_AT_ONCE: '2' };
    const second = await createTestApp({ ...bound, DATABASE_URL: app.db.ownerUrl, WAHA_BASE_URL: proxy.url });
    await second.init();
    for (let nth = 0; nth < 5; nth += 1) sessions.push(await workingSession(app, admin.http, `Many ${nth}`));
    let open = 0;
    let most = 0;
    proxy.spoil(({ path }) => {
      if (!path.endsWith('/restart')) return undefined;
      open += 1;
      most = Math.max(most, open);
      setTimeout(() => (open -= 1), WAHA_TIMEOUT_MS - 100);
      return 'hang';
    });
    for (const session of sessions) await fail(session);
    await eventually(() => sessions.every((session) => restartsOf(session).length > 0), { timeoutMs: 15_000 });
    expect(most).toBe(2);
    proxy.spoil(() => undefined);
    for (const session of sessions) await isShown(session, { status: 'WORKING', health: 'ok' });
    expect(await shutDown(second, 10_000)).toBe(true);
    const { rows } = await app.owner.query('select from sessions where restarting_until is not null');
    expect(rows).toEqual([]);
  });

  it('that never reach WAHA do not count', async () => {
    const session = await workingSession(app, admin.http, 'Away');
    const healing = app.app.get(SessionHealingRepository);
    await app.owner.query(
      `update sessions set next_restart_at = now() + interval '1 hour', restart_attempts = 4, restarts = 4 where id = $1`,
      [session.id],
    );
    const due = { tenant_id: admin.tenantId, id: session.id, server_id: session.server, waha_name: session.waha_name };
    await healing.takeBack({ ...due, health: 'ok', restart_attempts: 3 });
    await isShown(session, { restarts: 4, restart_attempts: 4 });
    await healing.takeBack({ ...due, health: 'ok', restart_attempts: 4 });
    await isShown(session, { restarts: 3, restart_attempts: 3 });
  });

  it('are not made of a server that is away, and a failure of which no webhook told is found by the reconciler', async () => {
    const session = await workingSession(app, admin.http, 'Unheard');
    await app.simulator.call('PUT', '/simulator/faults', { webhooks: { lose_rate: 1 } });
    await serversAre('down');
    await fail(session);
    expect((await rowOf(session))?.status).toBe('WORKING');
    proxy.spoil(({ path }) => (path.startsWith('/api/server') ? { status: 500, body: {} } : undefined));
    expect(await app.app.get(SessionReconciler).reconcile()).toHaveLength(1);
    await app.app.get(SessionHealer).heal();
    expect(restartsOf(session)).toEqual([]);
    proxy.spoil(() => undefined);
    expect(await app.app.get(SessionReconciler).reconcile()).toEqual([]);
    await eventually(() => restartsOf(session).length === 1);
    await app.simulator.delete('/simulator/faults');
    await app.app.get(SessionReconciler).reconcile();
    await isShown(session, { status: 'WORKING', restarts: 1 });
  });
});
