import { randomBytes } from 'node:crypto';
import { SessionReconciler } from '../../src/modules/waha/session-reconciler.service';
import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';
import { startWahaProxy, type WahaCall, type WahaProxy } from '../support/waha-proxy';
import { becomes, NO_PACE, send, sendsOf, workingSession, type WireSession } from '../support/whatsapp';
import { eventually } from '../support/wait';

const WAHA_TIMEOUT_MS = 500;

let app: TestApp;
let proxy: WahaProxy;

// WEBJS reserves no message ids: what came of a send that was not answered cannot be asked for by id.
beforeAll(async () => {
  proxy = await startWahaProxy();
  app = await startTestApp({
    config: { WAHA_BASE_URL: proxy.url, WAHA_TIMEOUT_MS: String(WAHA_TIMEOUT_MS) },
    simulator: { engine: 'WEBJS' },
  });
  proxy.leadTo(app.simulator.baseUrl);
});

afterEach(() => proxy.spoil(() => undefined));

afterAll(async () => {
  await app.close();
  await proxy.close();
});

const ownTenant = async () => app.login('TENANT_ADMIN', await app.make.tenant());
const isSendOf = (session: WireSession) => (call: WahaCall) =>
  call.path === '/api/sendText' && call.body.includes(session.waha_name);

/** Queues so many messages to as many chats; answers their ids. */
async function sendMany({ http }: LoggedIn, count: number): Promise<string[]> {
  const ids = [];
  for (let i = 0; i < count; i += 1) ids.push((await send(http, { to: `55118888810${10 + i}`, text: `${i}` })).id);
  return ids;
}

async function countOf(session: WireSession, status: string): Promise<number> {
  const { rows } = await app.owner.query<{ n: number }>(
    'select count(*)::int as n from messages where session_id = $1 and status = $2',
    [session.id, status],
  );
  return rows[0]?.n ?? -1;
}

describe('where no message ids are reserved', () => {
  it('a WAHA that hangs is found out before the attempt: nothing becomes unknown, all leave once it is back', async () => {
    const user = await ownTenant();
    const session = await workingSession(app, user.http);
    const calls = () => proxy.calls.filter(({ path }) => path.includes(session.waha_name));
    const isSend = isSendOf(session);
    const before = calls().length;
    proxy.spoil(({ path, body }) => ((path + body).includes(session.waha_name) ? 'hang' : undefined));
    const ids = await sendMany(user, 12);
    await eventually(() => calls().length >= before + 3, { what: 'three looks at the session' });
    expect(proxy.calls.filter(isSend)).toEqual([]);
    expect([await countOf(session, 'unknown'), await countOf(session, 'queued')]).toEqual([0, 12]);
    proxy.spoil(() => undefined);
    for (const id of ids) expect((await becomes(user.http, id, 'sent', 'delivered', 'read')).attempts).toBe(1);
    expect(await sendsOf(app, session)).toHaveLength(12);
  });

  it('sends that are not answered do not drain the queue: the lane waits longer after each', async () => {
    const user = await ownTenant();
    const session = await workingSession(app, user.http);
    const isSend = isSendOf(session);
    const sends = () => proxy.calls.filter(isSend);
    proxy.spoil((call) => (isSend(call) ? 'hang' : undefined));
    await sendMany(user, 12);
    await eventually(() => sends().length === 4, { timeoutMs: 15_000, what: 'four attempts' });
    const [first = 0, second = 0, third = 0, fourth = 0] = sends().map(({ atMs }) => atMs);
    expect(second - first).toBeGreaterThanOrEqual(WAHA_TIMEOUT_MS + 450);
    expect(third - second).toBeGreaterThanOrEqual(WAHA_TIMEOUT_MS + 950);
    expect(fourth - third).toBeGreaterThanOrEqual(WAHA_TIMEOUT_MS + 1_950);
    expect(await countOf(session, 'unknown')).toBeLessThanOrEqual(4);
    expect(await countOf(session, 'queued')).toBeGreaterThanOrEqual(8);
  });
});

describe('what WAHA says', () => {
  it.each<[string, number, () => object | string, string]>([
    ['a refusal with a NUL and half a character', 400, () => ({ message: 'no\u0000pe \ud83d' }), 'failed'],
    ['a refusal of NULs in plain text', 400, () => '\u0000\u0000 no', 'failed'],
    ['an error of a megabyte', 500, () => ({ message: 'é\ud83d'.repeat(250_000) }), 'unknown'],
    ['a message id of 5,000 characters', 201, () => ({ id: randomBytes(2_500).toString('hex') }), 'sent'],
    ['a message id with a NUL', 201, () => ({ id: { id: 'A\u0000B' } }), 'sent'],
    ['no JSON', 201, () => '<html>\u0000', 'sent'],
  ])('cannot stop the lane, nor hurt anybody else: %s', async (_what, status, body, end) => {
    const [user, neighbour] = [await ownTenant(), await ownTenant()];
    const [session, other] = [await workingSession(app, user.http), await workingSession(app, neighbour.http)];
    const [isSend, isOther] = [isSendOf(session), isSendOf(other)];
    proxy.spoil((call) => (isSend(call) ? { status, body: body() } : undefined));
    const [[first], neighbours] = await Promise.all([sendMany(user, 1), sendMany(neighbour, 10)]);
    const ended = await becomes(user.http, first ?? '', end);
    // Where WAHA gave a reason it is shown, in characters that the database takes.
    if (end !== 'sent') expect(ended.error).toMatch(/^nope \ufffd$|^ no$|^(?:é\ufffd){150}$/);
    for (const id of neighbours) await becomes(neighbour.http, id, 'sent', 'delivered', 'read');
    expect(proxy.calls.filter(isOther)).toHaveLength(10);
    proxy.spoil(() => undefined);
    const second = await send(user.http, { to: '5511888882222', text: 'goes on' });
    expect((await becomes(user.http, second.id, 'sent', 'delivered', 'read')).attempts).toBe(1);
  });
});

describe('creating a session', () => {
  const isCreation = ({ method, path }: WahaCall) => method === 'POST' && path === '/api/sessions';
  const create = ({ http }: LoggedIn, name: string, key: string) =>
    http.post<WireSession>('/waha/sessions', { name, pace: NO_PACE }, { headers: { 'idempotency-key': key } });
  const inWaha = async () => {
    const { body } = await app.simulator.get<{ name: string }[]>('/api/sessions?all=true');
    return body.map(({ name }) => name);
  };

  interface Row {
    id: string;
    waha_name: string;
    desired: string;
    status: string;
  }
  const rowsOf = async ({ tenantId }: LoggedIn) =>
    (await app.owner.query<Row>('select * from sessions where tenant_id = $1 order by id', [tenantId])).rows;

  it('that WAHA did and answered with 500 is an error, and the reconciler takes it out of WAHA again', async () => {
    const user = await ownTenant();
    proxy.spoil((call) => (isCreation(call) ? { status: 500, body: { message: 'oops' }, done: true } : undefined));
    expect((await create(user, 'Shop', 'a')).outcome).toBe('503 WAHA_UNAVAILABLE');
    const [row] = await rowsOf(user);
    expect(row).toMatchObject({ desired: 'deleted' });
    expect(await inWaha()).toContain(row?.waha_name);
    expect((await user.http.get<WireSession[]>('/waha/sessions')).body).toEqual([]);
    proxy.spoil(() => undefined);
    expect(await app.app.get(SessionReconciler).reconcile()).toEqual([]);
    expect(await inWaha()).not.toContain(row?.waha_name);
    expect(await rowsOf(user)).toMatchObject([{ desired: 'deleted', status: 'DELETED' }]);
    expect((await create(user, 'Shop', 'b')).status).toBe(201);
  });

  it.each([
    ['was not answered in time', 'hang' as const],
    ['was answered with 500', { status: 500, body: {}, done: true }],
    ['was refused', { status: 403, body: {} }],
  ])('that %s succeeds when it is tried again with the same Idempotency-Key, once', async (_what, spoiled) => {
    const user = await ownTenant();
    proxy.spoil((call) => (isCreation(call) ? spoiled : undefined));
    expect((await create(user, 'Shop', 'key')).outcome).toBe('503 WAHA_UNAVAILABLE');
    proxy.spoil(() => undefined);
    const second = await create(user, 'Shop', 'key');
    expect(second.status).toBe(201);
    const again = await create(user, 'Shop', 'key');
    expect([again.status, again.body]).toEqual([201, second.body]);
    const alive = (await rowsOf(user)).filter(({ desired }) => desired === 'running');
    expect(alive.map(({ id }) => id)).toEqual([second.body.id]);
  });
});

describe('a logout of WhatsApp of which nobody hears', () => {
  it('is on record as asked for, and as what came of it', async () => {
    const user = await ownTenant();
    const session = await workingSession(app, user.http);
    const outcomes = async () => {
      const { rows } = await app.owner.query<{ outcome: string }>(
        `select metadata->>'outcome' as outcome from audit_logs
          where resource = $1 and metadata->>'action' = 'logout' order by at, id`,
        [`session:${session.id}`],
      );
      return rows.map(({ outcome }) => outcome);
    };
    const logOut = () => user.http.post(`/waha/sessions/${session.id}/logout`);
    proxy.spoil(({ path }) => (path.endsWith('/logout') ? 'hang' : undefined));
    expect((await logOut()).status).toBe(503);
    expect(await outcomes()).toEqual(['asked', 'unknown']);
    proxy.spoil(({ path }) => (path.endsWith('/logout') ? { status: 422, body: '{}' } : undefined));
    expect((await logOut()).status).toBeGreaterThanOrEqual(409);
    expect(await outcomes()).toEqual(['asked', 'unknown', 'asked', 'failed']);
  });
});

describe('a lane that waits for its server', () => {
  it('goes on at once when its session works again', async () => {
    const user = await ownTenant();
    const session = await workingSession(app, user.http);
    // As after a long time of which each look was in vain: the next would be half a minute away.
    await app.owner.query(
      `update lanes set strikes = 6, pace_at = now() + interval '30 seconds', next_at = now() + interval '30 seconds'
        where session_id = $1`,
      [session.id],
    );
    const message = await send(user.http, { to: '5511888889001', text: 'waits' });
    expect((await user.http.post(`/waha/sessions/${session.id}/restart`)).status).toBe(200);
    await becomes(user.http, message.id, 'sent', 'delivered', 'read');
  });
});
