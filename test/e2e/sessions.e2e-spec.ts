import { freePort } from '../../src/embedded/postgres-server';
import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import {
  becomes,
  createSession,
  historyOf,
  reaches,
  scan,
  send,
  sendsOf,
  workingSession,
  type WireMessage,
  type WireSession,
} from '../support/whatsapp';

/** WAHA says that a session is not ready only after 5 s; we look first, and so answer before it would. */
const SHORTEST_WAIT_OF_WAHA_MS = 5_000;

const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

describe.each(['NOWEB', 'GOWS', 'WEBJS'] as const)('a session of %s', (engine) => {
  let app: TestApp;
  let admin: LoggedIn;

  beforeAll(async () => {
    app = await startTestApp({ simulator: { engine } });
    admin = await app.login('TENANT_ADMIN');
  });

  afterAll(() => app.close());

  it('is created, shows its QR code in three forms, is scanned and works', async () => {
    const { http } = admin;
    const created = await createSession(http, 'Main shop');
    expect(created).toMatchObject({ name: 'Main shop', health: 'ok', phone: null, queue_depth: 0, metadata: {} });
    expect(created.waha_name).not.toContain(app.tenantId.replaceAll('-', ''));
    await reaches(http, created.id, 'SCAN_QR_CODE');
    const url = `/waha/sessions/${created.id}/qr`;
    const png = await http.get(url, { headers: { accept: 'image/png' } });
    expect([png.status, png.headers.get('content-type')]).toEqual([200, 'image/png']);
    expect(png.bytes.subarray(0, 8)).toEqual(PNG);
    expect(png.headers.get('cache-control')).toBe('no-store');
    const json = await http.get<{ mimetype: string; data: string }>(url);
    expect(json.body.mimetype).toBe('image/png');
    expect(Buffer.from(json.body.data, 'base64').subarray(0, 8)).toEqual(PNG);
    const raw = await http.get<{ value: string }>(`${url}?format=raw`);
    expect(raw.body).toEqual({ value: expect.stringMatching(/^2@/) });
    const working = await scan(app, http, created);
    expect(working).toMatchObject({ phone: expect.stringMatching(/^55119\d{8}$/), push_name: 'Simulated phone' });
    expect((await http.get(url)).outcome).toBe('409 SESSION_NOT_READY');
  });

  it('stops and starts without a new scan, and a logout asks for one', async () => {
    const { http } = admin;
    const session = await workingSession(app, http, 'Second shop');
    const act = (action: string) => http.post<WireSession>(`/waha/sessions/${session.id}/${action}`);
    expect((await act('stop')).status).toBe(200);
    await reaches(http, session.id, 'STOPPED');
    expect((await act('start')).status).toBe(200);
    await reaches(http, session.id, 'WORKING');
    expect((await act('logout')).status).toBe(200);
    await reaches(http, session.id, 'SCAN_QR_CODE');
    await scan(app, http, session);
  });
});

describe('sessions', () => {
  let app: TestApp;
  let admin: LoggedIn;

  beforeAll(async () => {
    app = await startTestApp();
    admin = await app.login('TENANT_ADMIN');
  });

  afterAll(() => app.close());

  const inWaha = async (session: WireSession) => {
    const { body } = await app.simulator.get<{ name: string }[]>('/api/sessions?all=true');
    return body.some(({ name }) => name === session.waha_name);
  };
  const ownTenant = async () => app.login('TENANT_ADMIN', await app.make.tenant());

  it('have names of their own within the tenant, whatever other tenants call theirs', async () => {
    await createSession(admin.http, 'Taken');
    const again = await admin.http.post('/waha/sessions', { name: 'Taken' });
    expect(again.outcome).toBe('409 SESSION_NAME_TAKEN');
    const other = await ownTenant();
    expect((await createSession(other.http, 'Taken')).name).toBe('Taken');
  });

  it('give a name free when they are deleted', async () => {
    const first = await createSession(admin.http, 'Again');
    expect((await admin.http.delete(`/waha/sessions/${first.id}`)).status).toBe(204);
    const second = await createSession(admin.http, 'Again');
    expect(second.id).not.toBe(first.id);
  });

  it('one of two that are created under one name at once stays', async () => {
    const answers = await Promise.all([1, 2].map(() => admin.http.post('/waha/sessions', { name: 'Race' })));
    expect(answers.map(({ outcome }) => outcome).sort()).toEqual(['201', '409 SESSION_NAME_TAKEN']);
  });

  it.each([
    ['no name', {}, 'name'],
    ['an empty name', { name: '' }, 'name'],
    ['a name of 101 characters', { name: 'x'.repeat(101) }, 'name'],
    ['a name with a NUL', { name: 'a\u0000b' }, 'name'],
    ['an unknown field', { name: 'x', desired: 'running' }, 'desired'],
    ['a pace of 0', { name: 'x', pace: { per_minute: 0 } }, 'pace.per_minute'],
    ['a pace above 60,000', { name: 'x', pace: { per_minute: 60_001 } }, 'pace.per_minute'],
    ['metadata of more than 4 KiB', { name: 'x', metadata: { a: 'x'.repeat(4096) } }, 'metadata'],
    ['metadata with a NUL', { name: 'x', metadata: { a: 'b\u0000' } }, 'metadata.a'],
    ['metadata with a NUL in a key', { name: 'x', metadata: { 'a\u0000': 'b' } }, 'metadata'],
    ['metadata with half a character', { name: 'x', metadata: { a: ['\ud83d'] } }, 'metadata.a.0'],
  ])('are refused with %s: 400, and nothing is left', async (_what, body, field) => {
    const answer = await admin.http.post<{ details: { field: string }[] }>('/waha/sessions', body);
    expect(answer.outcome).toBe('400 VALIDATION_FAILED');
    expect(answer.body.details[0]?.field).toBe(field);
  });

  it('keep pace and metadata as they were given, defaults filled in', async () => {
    const metadata = { shop: 'Größe ✓', nested: { list: [1, null, 'x'] } };
    const answer = await admin.http.post<WireSession>('/waha/sessions', { name: 'Pace', pace: { burst: 7 }, metadata });
    expect(answer.body).toMatchObject({ pace: { per_minute: 20, burst: 7, jitter_ms: 1500 }, metadata });
  });

  it('answer 409 with the status, and soon, where there is no QR code: WAHA itself would wait for 10 s', async () => {
    const session = await workingSession(app, admin.http, 'No code');
    for (const query of ['', '?format=raw']) {
      const begun = performance.now();
      const answer = await admin.http.get<{ error: string }>(`/waha/sessions/${session.id}/qr${query}`);
      expect(performance.now() - begun).toBeLessThan(SHORTEST_WAIT_OF_WAHA_MS);
      expect(answer.outcome).toBe('409 SESSION_NOT_READY');
      expect(answer.body.error).toContain('WORKING');
    }
    await admin.http.post(`/waha/sessions/${session.id}/stop`);
    await reaches(admin.http, session.id, 'STOPPED');
    const begun = performance.now();
    const stopped = await admin.http.get<{ error: string }>(`/waha/sessions/${session.id}/qr`);
    expect(performance.now() - begun).toBeLessThan(SHORTEST_WAIT_OF_WAHA_MS);
    expect([stopped.outcome, stopped.body.error]).toEqual([
      '409 SESSION_NOT_READY',
      expect.stringContaining('STOPPED'),
    ]);
  });

  it('take start, stop, restart and logout twice', async () => {
    const session = await workingSession(app, admin.http, 'Twice');
    for (const action of ['start', 'stop', 'stop', 'start', 'start', 'restart', 'restart', 'logout', 'logout']) {
      const answer = await admin.http.post<WireSession>(`/waha/sessions/${session.id}/${action}`);
      expect([action, answer.status, answer.body.id]).toEqual([action, 200, session.id]);
    }
    await scan(app, admin.http, session);
    for (const action of ['start', 'start'])
      expect((await admin.http.post<WireSession>(`/waha/sessions/${session.id}/${action}`)).body.status).toBe(
        'WORKING',
      );
  });

  it('that failed come back with start', async () => {
    const session = await workingSession(app, admin.http, 'Fails');
    await app.simulator.post(`/simulator/sessions/${session.waha_name}/fail`);
    await reaches(admin.http, session.id, 'FAILED');
    await admin.http.post(`/waha/sessions/${session.id}/start`);
    expect(await reaches(admin.http, session.id, 'WORKING')).toMatchObject({ health: 'ok', reason: null });
  });

  it('that are deleted cancel what waits, and their history stays readable', async () => {
    const { http } = await ownTenant();
    const session = await workingSession(app, http, 'Ends');
    const sent = await send(http, { to: '+5511888880001', text: 'leaves' });
    await becomes(http, sent.id, 'read');
    await http.post(`/waha/sessions/${session.id}/stop`);
    await reaches(http, session.id, 'STOPPED');
    const waiting = await send(http, { to: '+5511888880001', text: 'stays' });
    expect((await http.delete(`/waha/sessions/${session.id}`)).status).toBe(204);
    expect((await http.get(`/waha/sessions/${session.id}`)).outcome).toBe('404 NOT_FOUND');
    expect((await http.get<WireSession[]>('/waha/sessions')).body).toEqual([]);
    expect(await historyOf(http, waiting.id)).toEqual(['queued', 'cancelled']);
    expect(await historyOf(http, sent.id)).toEqual(['queued', 'sending', 'sent', 'delivered', 'read']);
    const { body } = await http.get<WireMessage[]>(`/messages?session_id=${session.id}`);
    expect(body.map(({ id }) => id)).toEqual([waiting.id, sent.id]);
    expect(
      (await http.post('/messages/send', { to: '+5511888880001', text: 'x', session_id: session.id })).outcome,
    ).toBe('404 NOT_FOUND');
    expect((await http.delete(`/waha/sessions/${session.id}`)).outcome).toBe('404 NOT_FOUND');
    expect(await inWaha(session)).toBe(false);
    expect(await sendsOf(app, session)).toHaveLength(1);
  });

  it('are listed newest first, a page at a time, to the end', async () => {
    const { http, tenantId } = await ownTenant();
    for (let i = 0; i < 7; i += 1) await app.make.session(tenantId, { name: `number ${i}` });
    for (const start of ['/waha/sessions?limit=3&count=true', '/api/waha/sessions?limit=3&offset=0&count=true']) {
      const names: string[] = [];
      for (let next: string | undefined = start; next;) {
        const page: Awaited<ReturnType<typeof http.get<WireSession[]>>> = await http.get<WireSession[]>(next);
        expect(page.headers.get('x-total-count')).toBe('7');
        names.push(...page.body.map(({ name }) => name));
        next = /^<([^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
      }
      expect(names).toEqual([6, 5, 4, 3, 2, 1, 0].map((i) => `number ${i}`));
    }
  });

  it.each(['cursor=x', 'cursor=%00', 'limit=0', `offset=1&cursor=${'0'.repeat(8)}`])(
    'refuse a page at %s',
    async (query) => {
      expect((await admin.http.get(`/waha/sessions?${query}`)).outcome).toBe('400 VALIDATION_FAILED');
    },
  );

  it('tell neither their secret nor the address of WAHA', async () => {
    const { text } = await admin.http.get('/waha/sessions?limit=100');
    expect(text).not.toMatch(/secret|hmac|v1\./i);
    expect(text).not.toContain(app.simulator.baseUrl);
  });

  it('appear in WAHA with their store on, our webhook signed, and nothing that names the tenant', async () => {
    const session = await createSession(admin.http, 'Configured');
    const { body } = await app.simulator.get<{ config: Record<string, unknown> }>(`/api/sessions/${session.waha_name}`);
    expect(body.config).toMatchObject({
      noweb: { store: { enabled: true } },
      ignore: { status: true, channels: true, broadcast: true },
      webhooks: [{ url: `${app.url}/webhooks/waha`, hmac: { key: expect.stringMatching(/^.{43}$/) } }],
    });
    expect(JSON.stringify(body)).not.toContain(app.tenantId);
  });

  it('take the news of their status from webhooks that come late or in the wrong order', async () => {
    const session = await workingSession(app, admin.http, 'Order');
    // Less than what an answer of WAHA itself would set right: the reconciler may look meanwhile.
    const ahead = 50_000;
    await app.owner.query('update sessions set status_at = $2 where id = $1', [
      session.id,
      new Date(Date.now() + ahead),
    ]);
    await app.simulator.post(`/simulator/sessions/${session.waha_name}/disconnect`, {});
    await eventually(async () => {
      const { rows } = await app.owner.query(
        `select note from webhook_events where session_id = $1 and note = 'a newer state is known'`,
        [session.id],
      );
      return rows.length > 0;
    });
    expect((await admin.http.get<WireSession>(`/waha/sessions/${session.id}`)).body.status).toBe('WORKING');
  });
});

describe('without WAHA', () => {
  let app: TestApp;
  let admin: LoggedIn;

  beforeAll(async () => {
    app = await startTestApp({ config: { WAHA_BASE_URL: `http://127.0.0.1:${await freePort()}` } });
    admin = await app.login('TENANT_ADMIN');
  });

  afterAll(() => app.close());

  it('no session is created: 503 WAHA_UNAVAILABLE, and nothing is left of it', async () => {
    const answer = await admin.http.post('/waha/sessions', { name: 'Away' });
    expect(answer.outcome).toBe('503 WAHA_UNAVAILABLE');
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(answer.text).not.toContain('127.0.0.1');
    const { rows } = await app.owner.query('select count(*)::int as left from sessions');
    expect(rows).toEqual([{ left: 0 }]);
  });
});

describe('a WAHA that goes away', () => {
  let app: TestApp;
  let admin: LoggedIn;

  beforeAll(async () => {
    app = await startTestApp();
    admin = await app.login('TENANT_ADMIN');
  });

  afterAll(() => app.close());

  it('after it was known: creating is 503 and leaves nothing, deleting works, what should be is noted', async () => {
    const [one, two] = [await createSession(admin.http, 'One'), await createSession(admin.http, 'Two')];
    await app.stopSimulator();
    expect((await admin.http.post('/waha/sessions', { name: 'Three' })).outcome).toBe('503 WAHA_UNAVAILABLE');
    expect((await admin.http.post(`/waha/sessions/${one.id}/stop`)).outcome).toBe('503 WAHA_UNAVAILABLE');
    expect((await admin.http.delete(`/waha/sessions/${two.id}`)).status).toBe(204);
    const { rows } = await app.owner.query('select name, desired from sessions order by id');
    expect(rows).toEqual([
      { name: 'One', desired: 'stopped' },
      { name: 'Two', desired: 'deleted' },
    ]);
  });
});
