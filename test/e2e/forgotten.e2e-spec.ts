import { SessionReconciler } from '../../src/modules/waha/session-reconciler.service';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import { startWahaProxy, type WahaCall, type WahaProxy } from '../support/waha-proxy';
import { becomes, historyOf, scan, send, sendsOf, type WireSession, workingSession } from '../support/whatsapp';

const WAHA_TIMEOUT_MS = 4_000;

let app: TestApp;
let proxy: WahaProxy;
let user: LoggedIn;
let session: WireSession;

beforeAll(async () => {
  proxy = await startWahaProxy();
  app = await startTestApp({ config: { WAHA_BASE_URL: proxy.url, WAHA_TIMEOUT_MS: String(WAHA_TIMEOUT_MS) } });
  proxy.leadTo(app.simulator.baseUrl);
});

beforeEach(async () => {
  user = await app.login('TENANT_ADMIN', await app.make.tenant());
  session = await workingSession(app, user.http);
});

afterEach(async () => {
  proxy.spoil(() => undefined);
  await app.simulator.call('DELETE', '/simulator/faults');
});

afterAll(async () => {
  await app.close();
  await proxy.close();
});

const isSend = ({ path }: WahaCall) => path === '/api/sendText';
const sends = () => proxy.calls.filter((call) => isSend(call) && call.body.includes(session.waha_name));
const reconcile = () => app.app.get(SessionReconciler).reconcile();

const loses: [string, () => Promise<unknown>][] = [
  [
    'forgets its sessions',
    async () => {
      await app.simulator.post('/simulator/forget', {});
      expect(await reconcile()).toEqual([]);
    },
  ],
  ['is told to log out', () => user.http.post(`/waha/sessions/${session.id}/logout`)],
  [
    'hears that the phone has logged out',
    async () => {
      await app.simulator.post(`/simulator/sessions/${session.waha_name}/logout-from-phone`, {});
      await app.simulator.post(`/api/sessions/${session.waha_name}/restart`, {});
    },
  ],
];

/** Nobody hears of what was sent: events that tell of it are lost. */
const deafen = () => app.simulator.call('PUT', '/simulator/faults', { ack_lose_rate: 1, webhooks: { lose_rate: 1 } });
const hears = () => app.simulator.call('DELETE', '/simulator/faults');

/** It has been asked about for the last time, and is unknown for good. */
const givenUp = (id: string) =>
  eventually(
    async () => {
      const { rows } = await app.owner.query<{ status: string; settle_at: Date | null }>(
        'select status, settle_at from messages where id = $1',
        [id],
      );
      if (rows[0]?.status !== 'unknown' || rows[0].settle_at) throw new Error(`it is ${rows[0]?.status}`);
    },
    { what: 'the end of its settlement', timeoutMs: 15_000 },
  );

describe.each(loses)('WAHA %s', (_what, lose) => {
  it('while the outcome of a send is not known: it stays so, and its chat goes on', async () => {
    proxy.spoil((call) => (isSend(call) ? { status: 500, body: { message: 'boom' } } : undefined));
    const { id, chat } = await send(user.http, { to: '5511900000041', text: 'maybe' });
    await becomes(user.http, id, 'unknown');
    await lose();
    proxy.spoil(() => undefined);
    await scan(app, user.http, session);
    await givenUp(id);
    const next = await send(user.http, { to: chat, text: 'next' });
    await becomes(user.http, next.id, 'sent', 'delivered', 'read');
    expect((await sendsOf(app, session)).map(({ text }) => text)).toEqual(['next']);
    expect(sends()).toHaveLength(2);
    expect(await historyOf(user.http, id)).toEqual(['queued', 'sending', 'unknown', 'unknown']);
  });
});

describe('WAHA forgets its sessions', () => {
  it('while a send is under way, which it did: it is not sent twice', async () => {
    await deafen();
    proxy.spoil((call) => (isSend(call) ? { after: () => new Promise(() => undefined) } : undefined));
    const { id } = await send(user.http, { to: '5511900000042', text: 'did it' });
    await eventually(async () => (await sendsOf(app, session)).length === 1);
    await app.simulator.post('/simulator/forget', {});
    await hears();
    expect(await reconcile()).toEqual([]);
    await scan(app, user.http, session);
    proxy.spoil(() => undefined);
    await givenUp(id);
    expect(await sendsOf(app, session)).toHaveLength(1);
  });

  it('and knows it again: what was sent after that is settled as ever', async () => {
    await app.simulator.post('/simulator/forget', {});
    expect(await reconcile()).toEqual([]);
    await scan(app, user.http, session);
    proxy.spoil((call) => (isSend(call) ? { status: 500, body: { message: 'boom' } } : undefined));
    const { id } = await send(user.http, { to: '5511900000043', text: 'later' });
    await becomes(user.http, id, 'unknown');
    proxy.spoil(() => undefined);
    expect(await becomes(user.http, id, 'sent', 'delivered', 'read')).toMatchObject({ attempts: 2 });
    expect(await sendsOf(app, session)).toHaveLength(1);
  });
});
