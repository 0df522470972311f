import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';
import { startWahaProxy, type WahaProxy } from '../support/waha-proxy';
import { createSession, reaches, scan, type WireSession } from '../support/whatsapp';

let app: TestApp;
let proxy: WahaProxy;
let admin: LoggedIn;
let session: WireSession;

beforeAll(async () => {
  proxy = await startWahaProxy();
  app = await startTestApp({ config: { WAHA_BASE_URL: proxy.url, WAHA_TIMEOUT_MS: '500' } });
  proxy.leadTo(app.simulator.baseUrl);
  admin = await app.login('TENANT_ADMIN');
});

beforeEach(async () => {
  session = await createSession(admin.http, `Paired ${expect.getState().currentTestName?.slice(0, 80)}`);
  await reaches(admin.http, session.id, 'SCAN_QR_CODE');
});

afterEach(() => proxy.spoil(() => undefined));

afterAll(async () => {
  await app.close();
  await proxy.close();
});

const ask = (phone: unknown, user = admin) =>
  user.http.post<{ code: string; error: string }>(`/waha/sessions/${session.id}/pairing-code`, { phone_number: phone });
const requests = () => proxy.calls.filter(({ path }) => path === `/api/${session.waha_name}/auth/request-code`);

describe('POST /waha/sessions/:id/pairing-code', () => {
  it('answers the code for that phone, and the phone is the one that is paired then', async () => {
    const answer = await ask(' +55 (11) 98888-8000 ');
    expect([answer.status, answer.body]).toEqual([200, { code: expect.stringMatching(/^[A-Z0-9]{4}-[A-Z0-9]{4}$/) }]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(requests().map(({ body }) => body)).toEqual([JSON.stringify({ phoneNumber: '5511988888000' })]);
    expect((await scan(app, admin.http, session)).phone).toBe('5511988888000');
  });

  it('is on record, with the number where it can be erased and nowhere else', async () => {
    await ask('+44 20 7946 0958');
    const { rows } = await app.owner.query<{ metadata: object; personal: string }>(
      `select metadata, personal::text from audit_logs where resource = $1 and metadata->>'action' = 'pairing_code'`,
      [`session:${session.id}`],
    );
    expect(rows.map(({ metadata }) => metadata)).toEqual([{ action: 'pairing_code' }]);
    expect(JSON.parse(rows[0]?.personal ?? '{}')).toMatchObject({ phone_number: '442079460958' });
  });

  it.each(['', 'abc', '+44', '120363000000000000@g.us', '+44 20 7946 0958 ext. 5', 442079460958, null, undefined])(
    'refuses %p as a number',
    async (phone) => {
      expect((await ask(phone)).outcome).toBe('400 VALIDATION_FAILED');
      expect(requests()).toEqual([]);
    },
  );

  it('is refused at once with the status where there is nothing to pair', async () => {
    await scan(app, admin.http, session);
    const answer = await ask('+44 20 7946 0958');
    expect([answer.outcome, answer.body.error]).toEqual(['409 SESSION_NOT_READY', expect.stringContaining('WORKING')]);
    await admin.http.post(`/waha/sessions/${session.id}/stop`);
    expect((await ask('+44 20 7946 0958')).outcome).toBe('409 SESSION_NOT_READY');
    expect(requests()).toEqual([]);
  });

  it('is for administrators of the tenant, and its answer is not kept', async () => {
    expect((await ask('+442079460958', await app.login('MANAGER'))).outcome).toBe('403 FORBIDDEN');
    const stranger = await app.login('TENANT_ADMIN', await app.make.tenant());
    expect((await ask('+442079460958', stranger)).outcome).toBe('404 NOT_FOUND');
    const url = `/waha/sessions/${session.id}/pairing-code`;
    const body = { phone_number: '+442079460958' };
    const kept = await admin.http.post(url, body, { headers: { 'idempotency-key': 'a' } });
    expect(kept.outcome).toBe('400 VALIDATION_FAILED');
  });

  it.each([
    ['hangs', 'hang' as const],
    ['fails', { status: 500, body: {} }],
    ['answers no code', { status: 201, body: {} }],
  ])('is 503 where WAHA %s', async (_what, spoiled) => {
    proxy.spoil(({ path }) => (path.endsWith('/request-code') ? spoiled : undefined));
    expect((await ask('+44 20 7946 0958')).outcome).toBe('503 WAHA_UNAVAILABLE');
  });
});
