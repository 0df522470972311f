import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { secretContext } from '../../src/modules/waha/session-secret';
import { SessionReconciler } from '../../src/modules/waha/session-reconciler.service';
import { SecretBox } from '../../src/platform/crypto/secret-box';
import { shutDown } from '../../src/platform/http/shutdown';
import { createTestApp } from '../support/app';
import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';
import { startWahaProxy, type WahaProxy } from '../support/waha-proxy';
import { eventually } from '../support/wait';
import { post, settled } from '../support/webhook-door';
import { envelope } from '../support/webhooks';
import { becomes, createSession, reaches, scan, send, workingSession, type WireSession } from '../support/whatsapp';

let app: TestApp;
let admin: LoggedIn;
let session: WireSession;

beforeAll(async () => {
  app = await startTestApp();
  admin = await app.login('TENANT_ADMIN');
  session = await workingSession(app, admin.http);
});

afterAll(() => app.close());

const statusInWaha = async () =>
  (await app.simulator.get<{ status: string }>(`/api/sessions/${session.waha_name}`)).body.status;
const wish = (desired: string) =>
  app.owner.query('update sessions set desired = $2 where id = $1', [session.id, desired]);

describe('a session that is said to have stopped, and works', () => {
  it('goes on within seconds: a server that it has left may have said so', async () => {
    const user = await app.login('TENANT_ADMIN', await app.make.tenant());
    const working = await workingSession(app, user.http);
    const { rows } = await app.owner.query<{ sealed: string }>(
      'select webhook_secret as sealed from sessions where id = $1',
      [working.id],
    );
    const secret = app.app.get(SecretBox).open(rows[0]?.sealed ?? '', secretContext(working.id));
    const door = { tenantId: user.tenantId, id: working.id, wahaName: working.waha_name, secret };
    const told = envelope(door, 'session.status', { payload: { name: working.waha_name, status: 'STOPPED' } });
    expect((await post(app, door, told)).body).toEqual({ stored: true });
    expect((await settled(app, door)).at(-1)).toMatchObject({ event: 'session.status', status: 'applied', note: null });
    await reaches(user.http, working.id, 'WORKING');
    const message = await send(user.http, { to: '5511900000031', text: 'goes on' });
    await becomes(user.http, message.id, 'sent', 'delivered', 'read');
  });
});

describe('the reconciler', () => {
  it('stops in WAHA what should be stopped, and starts what should run', async () => {
    const reconciler = app.app.get(SessionReconciler);
    await wish('stopped');
    expect(await reconciler.reconcile()).toEqual([]);
    await eventually(async () => (await statusInWaha()) === 'STOPPED');
    await reaches(admin.http, session.id, 'STOPPED');
    await wish('running');
    expect(await reconciler.reconcile()).toEqual([]);
    await reaches(admin.http, session.id, 'WORKING');
  });
});

describe('under a new address of WAHA', () => {
  let moved: WahaProxy;
  let second: NestFastifyApplication;
  let reconciler: SessionReconciler;

  beforeAll(async () => {
    moved = await startWahaProxy();
    moved.leadTo(app.simulator.baseUrl);
    second = await createTestApp({ DATABASE_URL: app.db.ownerUrl, WAHA_BASE_URL: moved.url });
    await second.init();
    reconciler = second.get(SessionReconciler);
  });

  afterAll(async () => {
    expect(await shutDown(second, 10_000)).toBe(true);
    await moved.close();
  });

  it('reaches the sessions', async () => {
    await wish('stopped');
    expect(await reconciler.reconcile()).toEqual([]);
    await eventually(async () => (await statusInWaha()) === 'STOPPED');
    expect(moved.calls.map(({ path }) => path)).toContain(`/api/sessions/${session.waha_name}/stop`);
    const { rows } = await app.owner.query('select base_url from waha_servers');
    expect(rows).toEqual([{ base_url: moved.url }]);
  });

  it('takes no session back that was heard to work while WAHA was asked', async () => {
    const user = await app.login('TENANT_ADMIN', await app.make.tenant());
    const fresh = await createSession(user.http);
    await reaches(user.http, fresh.id, 'SCAN_QR_CODE');
    let overtaken = 0;
    const after = async () => {
      overtaken += 1;
      await scan(app, user.http, fresh);
    };
    moved.spoil(({ path }) => (path.startsWith('/api/sessions?') && overtaken === 0 ? { after } : undefined));
    expect(await reconciler.reconcile()).toEqual([]);
    expect(overtaken).toBe(1);
    expect((await user.http.get<WireSession>(`/waha/sessions/${fresh.id}`)).body.status).toBe('WORKING');
    const message = await send(user.http, { to: '5511900000032', text: 'goes on' });
    await becomes(user.http, message.id, 'sent', 'delivered', 'read');
  });
});
