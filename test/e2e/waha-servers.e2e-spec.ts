import { newId } from '../../src/common/ids';
import { shutDown } from '../../src/platform/http/shutdown';
import { Placement } from '../../src/modules/waha/placement.service';
import { SessionsService } from '../../src/modules/waha/sessions.service';
import { userActor } from '../../src/common/actor';
import { createTestApp, TEST_SECRETS } from '../support/app';
import { auditRecords } from '../support/audit-records';
import type { HttpClient } from '../support/http-client';
import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';
import { ADMIN_API_KEY, register, startMember, type PoolMember, type WireServer } from '../support/waha-pool';
import { createSession, NO_PACE, type WireSession } from '../support/whatsapp';

let app: TestApp;
let platform: HttpClient;
let admin: LoggedIn;
let second: PoolMember;

beforeAll(async () => {
  app = await startTestApp({ config: { ADMIN_API_KEY } });
  platform = app.anybody.with({ 'x-api-key': ADMIN_API_KEY });
  admin = await app.login('TENANT_ADMIN');
  second = await startMember();
});

afterAll(async () => {
  await app.close();
  await second.close();
});

const draft = (url: string, more: object = {}) => ({
  name: 'WAHA 2',
  base_url: url,
  api_key: TEST_SECRETS.WAHA_API_KEY,
  ...more,
});
const one = async (id: string) => (await platform.get<WireServer>(`/waha/servers/${id}`)).body;
const own = async () => {
  const { body } = await platform.get<WireServer[]>('/waha/servers');
  return body.find((server) => server.from_config) as WireServer;
};
const remove = async (session: WireSession) =>
  expect((await admin.http.call('DELETE', `/waha/sessions/${session.id}`)).status).toBe(204);

describe('POST /waha/servers', () => {
  it('registers what answers as WAHA, and never shows its key', async () => {
    const answer = await platform.post<WireServer>('/waha/servers', draft(`${second.url}/`, { capacity: 3 }));
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      base_url: second.url,
      status: 'up',
      engine: 'NOWEB',
      capacity: 3,
      sessions: 0,
    });
    expect(answer.headers.get('etag')).toBe('"1"');
    expect(answer.text).not.toContain(TEST_SECRETS.WAHA_API_KEY);
    const { rows } = await app.owner.query('select api_key from waha_servers where id = $1', [answer.body.id]);
    expect(rows[0].api_key).toMatch(/^v1\./);
    const records = await auditRecords(app.owner, ['SERVER_CREATED'], answer.body.id);
    expect(records).toMatchObject([{ tenant_id: '00000000-0000-0000-0000-000000000000', actor_kind: 'platform' }]);
    expect(JSON.stringify(records)).not.toContain(TEST_SECRETS.WAHA_API_KEY);
    expect((await platform.post('/waha/servers', draft(second.url))).outcome).toBe('409 SERVER_TAKEN');
    expect((await platform.call('DELETE', `/waha/servers/${answer.body.id}`)).status).toBe(204);
    expect((await platform.get(`/waha/servers/${answer.body.id}`)).outcome).toBe('404 NOT_FOUND');
  });

  it('is done once under one Idempotency-Key', async () => {
    const options = { headers: { 'idempotency-key': newId() } };
    const first = await platform.post<WireServer>('/waha/servers', draft(second.url), options);
    const again = await platform.post<WireServer>('/waha/servers', draft(second.url), options);
    expect([first.status, again.status, again.body.id]).toEqual([201, 201, first.body.id]);
    await platform.call('DELETE', `/waha/servers/${first.body.id}`);
  });

  it('refuses an old Core, what is no WAHA, a wrong key and what does not answer', async () => {
    const old = await startMember({ version: '2026.6.0', tier: 'CORE' });
    const outcome = async (body: object) => (await platform.post('/waha/servers', body)).outcome;
    expect(await outcome(draft(old.url))).toBe('422 WAHA_TOO_OLD');
    await old.close();
    expect(await outcome(draft(old.url))).toBe('503 WAHA_UNAVAILABLE');
    expect(await outcome(draft(app.url))).toBe('422 WAHA_NOT_RECOGNIZED');
    expect(await outcome(draft(second.url, { api_key: 'not the key' }))).toBe('400 VALIDATION_FAILED');
    expect(await outcome(draft(second.url, { api_key: 'not-the-key' }))).toBe('422 WAHA_NOT_RECOGNIZED');
    expect(await outcome(draft('http://user:pass@waha:3000'))).toBe('400 VALIDATION_FAILED');
    expect((await platform.get<WireServer[]>('/waha/servers')).body).toHaveLength(1);
  });
});

describe('PATCH and DELETE /waha/servers/:id', () => {
  it('edits under If-Match, and keeps what is of the configuration', async () => {
    const server = await register(platform, second.url);
    const path = `/waha/servers/${server.id}`;
    const change = { capacity: 5, storage_group: 'pg-1', name: 'Two' };
    const edited = await platform.call<WireServer>('PATCH', path, change, { headers: { 'if-match': '"1"' } });
    expect([edited.status, edited.headers.get('etag')]).toEqual([200, '"2"']);
    expect(edited.body).toMatchObject(change);
    const late = await platform.call('PATCH', path, { capacity: 6 }, { headers: { 'if-match': '"1"' } });
    expect(late.outcome).toBe('412 PRECONDITION_FAILED');
    expect((await platform.call('PATCH', path, { base_url: 'http://elsewhere' })).outcome).toBe(
      '400 VALIDATION_FAILED',
    );
    const moved = await platform.call<WireServer>('PATCH', path, { base_url: app.url, api_key: 'whatever' });
    expect(moved.outcome).toBe('422 WAHA_NOT_RECOGNIZED');
    expect((await platform.call('DELETE', path)).status).toBe(204);
    const { id } = await own();
    expect((await platform.call('PATCH', `/waha/servers/${id}`, { api_key: 'whatever' })).outcome).toBe(
      '409 SERVER_IN_USE',
    );
    expect((await platform.call('DELETE', `/waha/servers/${id}`)).outcome).toBe('409 SERVER_IN_USE');
  });

  it('does not delete one that has sessions, and keeps the history of those that it had', async () => {
    await platform.call('PATCH', `/waha/servers/${(await own()).id}`, { capacity: 1 });
    const full = await createSession(admin.http, 'on the first');
    const server = await register(platform, second.url);
    const session = await createSession(admin.http, 'on the second');
    expect([full.server, session.server]).toEqual([(await own()).id, server.id]);
    expect((await platform.call('DELETE', `/waha/servers/${server.id}`)).outcome).toBe('409 SERVER_IN_USE');
    await remove(session);
    expect((await platform.call('DELETE', `/waha/servers/${server.id}`)).status).toBe(204);
    const { rows } = await app.owner.query('select server_id, status from sessions where id = $1', [session.id]);
    expect(rows).toEqual([{ server_id: (await own()).id, status: 'DELETED' }]);
    await remove(full);
  });
});

describe('where a new session goes', () => {
  it('is the least full server, by its capacity', async () => {
    const first = (await own()).id;
    await platform.call('PATCH', `/waha/servers/${first}`, { capacity: 2 });
    const big = await register(platform, second.url, { capacity: 4 });
    const made: WireSession[] = [];
    for (let n = 0; n < 6; n += 1) made.push(await createSession(admin.http, `spread ${n}`));
    const on = (id: string) => made.filter(({ server }) => server === id).length;
    expect([on(first), on(big.id)]).toEqual([2, 4]);
    const answer = await admin.http.post('/waha/sessions', { name: 'one too many', pace: NO_PACE });
    expect(answer.outcome).toBe('503 WAHA_POOL_FULL');
    expect((await one(big.id)).sessions).toBe(4);
    for (const session of made) await remove(session);
    await platform.call('DELETE', `/waha/servers/${big.id}`);
  });

  it('is not one that is drained', async () => {
    const server = await register(platform, second.url);
    const { id } = await own();
    await platform.call('PATCH', `/waha/servers/${id}`, { capacity: null });
    expect((await platform.post<WireServer>(`/waha/servers/${id}/drain`)).body.state).toBe('draining');
    const session = await createSession(admin.http, 'not on the drained');
    expect(session.server).toBe(server.id);
    expect((await platform.post<WireServer>(`/waha/servers/${id}/activate`)).body.state).toBe('active');
    await remove(session);
    await platform.call('DELETE', `/waha/servers/${server.id}`);
  });

  it('has one winner where two processes want the last place', async () => {
    const { id, sessions } = await own();
    await platform.call('PATCH', `/waha/servers/${id}`, { capacity: sessions + 3 });
    const other = await createTestApp({
      DATABASE_URL: app.db.ownerUrl,
      WAHA_BASE_URL: app.simulator.baseUrl,
      ROLE: 'api',
    });
    try {
      await other.init();
      await other.get(Placement).prepare();
      const actor = userActor({ id: admin.userId, tenantId: app.tenantId, role: 'TENANT_ADMIN', loginId: newId() });
      const pace = { ...NO_PACE, warmup: { enabled: false, days: 14, start_per_day: 20 } };
      const make = (n: number) =>
        (n % 2 ? app.app : other)
          .get(SessionsService)
          .create(actor, { name: `race ${n}`, pace, quietHours: null, metadata: {} });
      const outcomes = await Promise.allSettled(Array.from({ length: 12 }, (_, n) => make(n)));
      const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []));
      expect(outcomes.length - refused.length).toBe(3);
      expect(new Set(refused.map((error) => (error as Error & { code: string }).code))).toEqual(
        new Set(['WAHA_POOL_FULL']),
      );
      expect((await own()).sessions).toBe(sessions + 3);
    } finally {
      expect(await shutDown(other, 10_000)).toBe(true);
    }
  });
});
