import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SessionReconciler } from '../../src/modules/waha/session-reconciler.service';
import { shutDown } from '../../src/platform/http/shutdown';
import { createTestApp } from '../support/app';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import { startWahaProxy, type WahaProxy } from '../support/waha-proxy';
import { becomes, reaches, scan, send, workingSession, type WireSession } from '../support/whatsapp';

interface Webhook {
  url: string;
  events: string[];
  hmac: { key: string };
  retries: object;
  customHeaders?: object[];
}
interface Config extends Record<string, unknown> {
  webhooks: Webhook[];
  metadata: object;
  noweb: { markOnline: boolean; store: { enabled: boolean; fullSync: boolean } };
}
interface Info {
  name: string;
  status: string;
  config: Config;
}

let app: TestApp;
let proxy: WahaProxy;
let admin: LoggedIn;
let session: WireSession;
let wanted: Config;

beforeAll(async () => {
  proxy = await startWahaProxy();
  app = await startTestApp({ config: { WAHA_BASE_URL: proxy.url } });
  proxy.leadTo(app.simulator.baseUrl);
  admin = await app.login('TENANT_ADMIN');
  session = await workingSession(app, admin.http);
  wanted = (await inWaha()).config;
});

/** As if the last PUT had been long ago. */
beforeEach(() => app.owner.query('update sessions set config_at = null'));
afterEach(() => proxy.spoil(() => undefined));

afterAll(async () => {
  await app.close();
  await proxy.close();
});

const path = () => `/api/sessions/${session.waha_name}`;
const inWaha = async () => (await app.simulator.get<Info>(path())).body;
const reconcile = async (by: NestFastifyApplication = app.app) => {
  expect(await by.get(SessionReconciler).reconcile()).toEqual([]);
};
const puts = () => proxy.calls.filter((call) => call.method === 'PUT' && call.path === path());
/** Somebody changes it in WAHA, which restarts the session. */
const change = async (config: object) => {
  await app.simulator.call('PUT', path(), { config: { ...wanted, ...config } });
  await reaches(admin.http, session.id, 'WORKING');
};

describe('the configuration of a session in WAHA', () => {
  it('is left alone while it is as it should be, in whatever order, and with what others set beside it', async () => {
    await reconcile();
    const [own] = wanted.webhooks as [Webhook];
    const ours = { ...own, events: [...own.events].reverse(), customHeaders: [] };
    const another = { url: 'http://127.0.0.1:9/another', events: ['*'] };
    await change({
      ...{ debug: true, proxy: { server: 'proxy:3128' }, webhooks: [another, ours] },
      metadata: { theirs: 'x', ...wanted.metadata },
      ...{ gows: { storage: { messages: null, groups: true } }, client: null },
    });
    for (let round = 0; round < 3; round += 1) await reconcile();
    expect(puts()).toEqual([]);
  });

  it('gets back what is missing with one PUT, keeps what others have set, and events go on', async () => {
    const another = { url: 'http://127.0.0.1:9/another', events: ['session.status'] };
    const store = { markOnline: false, store: { enabled: false, fullSync: false } };
    await change({ noweb: store, proxy: { server: 'proxy:3128' }, webhooks: [another] });
    for (let round = 0; round < 3; round += 1) await reconcile();
    expect(puts()).toHaveLength(1);
    const { config } = await inWaha();
    expect(config.noweb.store.enabled).toBe(true);
    expect(config.proxy).toEqual({ server: 'proxy:3128' });
    expect(config.webhooks).toEqual([another, ...wanted.webhooks]);
    await reaches(admin.http, session.id, 'WORKING');
    const message = await send(admin.http, { to: '5511900000301', text: 'acked' });
    await becomes(admin.http, message.id, 'read');
  });

  it.each<[string, (webhook: Webhook) => Webhook]>([
    ['another key', (webhook) => ({ ...webhook, hmac: { key: 'not ours' } })],
    ['an event less', (webhook) => ({ ...webhook, events: webhook.events.slice(1) })],
    [
      'the retries of WAHA',
      (webhook) => ({ ...webhook, retries: { policy: 'constant', delaySeconds: 2, attempts: 15 } }),
    ],
  ])('is mended where the webhook has %s', async (_what, spoil) => {
    const before = puts().length;
    await change({ webhooks: wanted.webhooks.map(spoil) });
    for (let round = 0; round < 2; round += 1) await reconcile();
    expect(puts()).toHaveLength(before + 1);
    expect((await inWaha()).config.webhooks).toEqual(wanted.webhooks);
    await reaches(admin.http, session.id, 'WORKING');
  });

  it.each<[string, (info: object) => object]>([
    ['says so when it is put', (info) => info],
    ['does not say so when it is put', (info) => ({ ...info, config: undefined })],
  ])('is put once where WAHA makes something else of it and %s, and again when that changes', async (_what, answer) => {
    await reconcile();
    await reaches(admin.http, session.id, 'WORKING');
    await app.owner.query('update sessions set config_at = null, config_put = null, config_seen = null');
    const before = puts().length;
    const told = async (make: (config: Config) => object) => {
      const { body } = await app.simulator.get<Info[]>('/api/sessions?all=true');
      const list = body.map((info) => ({ ...info, config: make(info.config) }));
      const own = list.find(({ name }) => name === session.waha_name);
      proxy.spoil(({ method, path: asked }) => {
        if (asked.startsWith('/api/sessions?')) return { status: 200, body: list };
        return method === 'PUT' ? { status: 200, body: answer({ ...own }), done: true } : undefined;
      });
      await reconcile();
      await app.owner.query('update sessions set config_at = null');
      await reaches(admin.http, session.id, 'WORKING');
      return puts().length - before;
    };
    // It knows fewer events than we do, and hides the key.
    const fewer = ({ webhooks, ...config }: Config) => ({
      ...config,
      webhooks: webhooks.map(({ events, ...more }) => ({ ...more, events: events.slice(2), hmac: { key: '***' } })),
    });
    expect([await told(fewer), await told(fewer), await told(fewer)]).toEqual([1, 1, 1]);
    const other = (config: Config) => ({ ...fewer(config), noweb: { store: { enabled: false } } });
    expect([await told(other), await told(other), await told(other)]).toEqual([2, 2, 2]);
  });

  it('is put again where somebody changes it right after, before we look', async () => {
    const off = { noweb: { markOnline: false, store: { enabled: false, fullSync: false } } };
    const before = puts().length;
    for (const times of [1, 2]) {
      await change(off);
      await app.owner.query('update sessions set config_at = null');
      await reconcile();
      expect(puts()).toHaveLength(before + times);
      await reaches(admin.http, session.id, 'WORKING');
    }
    expect((await inWaha()).config).toEqual(wanted);
  });

  it('is put where it was changed right after WAHA got the session, before we look', async () => {
    await app.simulator.post('/simulator/forget', {});
    await reconcile();
    await scan(app, admin.http, session);
    const before = puts().length;
    await change({ webhooks: wanted.webhooks.map((webhook) => ({ ...webhook, events: webhook.events.slice(1) })) });
    await reconcile();
    expect(puts()).toHaveLength(before + 1);
    expect((await inWaha()).config).toEqual(wanted);
    await reaches(admin.http, session.id, 'WORKING');
  });

  it('is not put again within minutes, whoever disagrees, and by one of several processes', async () => {
    const before = puts().length;
    const off = { noweb: { markOnline: false, store: { enabled: false, fullSync: false } } };
    await app.owner.query('update sessions set config_put = null, config_seen = null');
    await change(off);
    const reconciler = app.app.get(SessionReconciler);
    await Promise.all([1, 2, 3, 4].map(() => reconciler.reconcile()));
    expect(puts()).toHaveLength(before + 1);
    await reaches(admin.http, session.id, 'WORKING');
    await change(off);
    await reconcile();
    expect(puts()).toHaveLength(before + 1);
    await app.owner.query(`update sessions set config_at = now() - interval '6 minutes'`);
    await reconcile();
    expect(puts()).toHaveLength(before + 2);
    await reaches(admin.http, session.id, 'WORKING');
  });
});

describe('a changed WAHA_WEBHOOK_URL', () => {
  it('reaches the sessions that are there, once; a process that names none changes nothing', async () => {
    const before = puts().length;
    const common = { DATABASE_URL: app.db.ownerUrl, WAHA_BASE_URL: proxy.url, ROLE: 'api' };
    const url = `${app.url}/api/webhooks/waha`;
    const named = await createTestApp({ ...common, WAHA_WEBHOOK_URL: url });
    const unnamed = await createTestApp(common);
    try {
      await reconcile(unnamed);
      expect(puts()).toHaveLength(before);
      for (let round = 0; round < 2; round += 1) await reconcile(named);
      expect(puts()).toHaveLength(before + 1);
      expect((await inWaha()).config.webhooks.map((webhook) => webhook.url)).toEqual([url]);
      await reconcile(unnamed);
      expect(puts()).toHaveLength(before + 1);
      await reaches(admin.http, session.id, 'WORKING');
    } finally {
      for (const each of [named, unnamed]) expect(await shutDown(each, 10_000)).toBe(true);
    }
  });
});

describe('a WAHA that lost everything', () => {
  it('gets it all back, with our webhook, and no PUT', async () => {
    const more = await workingSession(app, admin.http, 'Second shop');
    const before = proxy.calls.filter(({ method }) => method === 'PUT').length;
    await app.simulator.post('/simulator/forget', {});
    await reconcile();
    const { body } = await app.simulator.get<Info[]>('/api/sessions?all=true');
    expect(body.map(({ name }) => name).sort()).toEqual([session.waha_name, more.waha_name].sort());
    expect((await inWaha()).config).toEqual(wanted);
    for (const each of [session, more]) await scan(app, admin.http, each);
    await reconcile();
    expect(proxy.calls.filter(({ method }) => method === 'PUT')).toHaveLength(before);
    const message = await send(admin.http, { session_id: session.id, to: '5511900000302', text: 'again' });
    await eventually(async () => (await becomes(admin.http, message.id, 'read')).status === 'read');
  });
});
