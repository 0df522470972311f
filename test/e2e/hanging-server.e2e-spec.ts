import { Wakeups } from '../../src/platform/database/wakeups';
import type { TestSession } from '../support/factories';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import { ADMIN_API_KEY, type PoolMember, register, startMember, type WireServer } from '../support/waha-pool';
import { startWahaProxy, type WahaProxy } from '../support/waha-proxy';
import { becomes, send, workingSession, type WireSession } from '../support/whatsapp';

/** So long a call hangs; whoever had to wait for one that hangs waits about as long. */
const WAHA_TIMEOUT_MS = 8_000;
const SOON = { timeoutMs: 3_000 };

jest.setTimeout(60_000);

let app: TestApp;
let member: PoolMember;
let proxy: WahaProxy;
let hanging: WireServer;
let neighbour: LoggedIn;
let session: WireSession;

beforeAll(async () => {
  app = await startTestApp({ config: { ADMIN_API_KEY, WAHA_TIMEOUT_MS: String(WAHA_TIMEOUT_MS) } });
  neighbour = await app.login('TENANT_ADMIN');
  session = await workingSession(app, neighbour.http);
  member = await startMember();
  proxy = await startWahaProxy();
  proxy.leadTo(member.url);
  hanging = await register(app.anybody.with({ 'x-api-key': ADMIN_API_KEY }), proxy.url);
});

afterAll(async () => {
  await proxy.close(); // first: what hangs ends
  await app.close();
  await member.close();
});

/** Calls about sessions of a factory hang, and whatever else the rule says. */
const hangs = (path: string, body: string) => (path + body).includes('made_');
const hung = (part: string) => proxy.calls.filter(({ path }) => hangs(path, '') && path.includes(part)).length;

async function sessionsThere(count: number, state: 'open' | 'parked' = 'open'): Promise<TestSession[]> {
  const tenantId = await app.make.tenant();
  const sessions: TestSession[] = [];
  for (let nth = 0; nth < count; nth += 1)
    sessions.push(await app.make.session(tenantId, { lane: state, serverId: hanging.id }));
  return sessions;
}

describe('a WAHA server that hangs', () => {
  beforeEach(() => proxy.spoil(({ path, body }) => (hangs(path, body) ? 'hang' : undefined)));

  it('delays no message of another server, of whichever tenant, however many sessions it has', async () => {
    const others = await sessionsThere(160);
    for (const each of others) await app.make.message(each);
    await app.owner.query(`update lanes set next_at = now() where server_id = $1`, [hanging.id]);
    app.app.get(Wakeups).wake('lanes');
    // As many as it has slots are on their way there; the rest waits for them.
    await eventually(() => hung('') >= 100, { what: '100 calls that hang' });
    for (let nth = 0; nth < 5; nth += 1) {
      const message = await send(neighbour.http, { to: `551190000010${nth}`, text: 'passes by' });
      await eventually(async () => {
        const { body } = await neighbour.http.get<{ status: string }>(`/messages/${message.id}`);
        return ['sent', 'delivered', 'read'].includes(body.status);
      }, SOON);
    }
    expect(hung('')).toBe(100);
    await app.owner.query(`update lanes set state = 'parked' where server_id = $1`, [hanging.id]);
  });

  it('delays no settlement of another server', async () => {
    const long = new Date(Date.now() - 600_000);
    const unsettled = { status: 'unknown', attempts: 1, burned: 1, attempted_at: long, settle_at: long };
    for (const each of await sessionsThere(60, 'parked'))
      await app.make.message(each, { ...unsettled, wa_id: 'AA', wa_id_reserved: true, error_code: 'WAHA_TIMEOUT' });
    await eventually(() => hung('/chats/all/messages/') >= 20, { what: '20 questions that hang' });
    const { id } = await send(neighbour.http, { to: '5511900000109', text: 'doubtful' });
    await becomes(neighbour.http, id, 'read');
    await app.owner.query(`update messages set status = 'unknown', settle_at = now() where id = $1`, [id]);
    await eventually(async () => {
      const { body } = await neighbour.http.get<{ status: string }>(`/messages/${id}`);
      return ['sent', 'delivered', 'read'].includes(body.status);
    }, SOON);
    await app.owner.query(`update messages set settle_at = null where tenant_id <> $1`, [neighbour.tenantId]);
  });

  it('delays no mending of the sessions of another server', async () => {
    const theirs = await sessionsThere(12, 'parked');
    await app.owner.query(`update sessions set desired = 'running', status = 'STOPPED' where id = any($1)`, [
      theirs.map(({ id }) => id),
    ]);
    const listed = theirs.map(({ wahaName }) => ({ name: wahaName, status: 'STOPPED', me: null }));
    proxy.spoil(({ path, body }) =>
      path.startsWith('/api/sessions?') ? { status: 200, body: listed } : hangs(path, body) ? 'hang' : undefined,
    );
    const wakeups = app.app.get(Wakeups);
    wakeups.wake('sessions');
    await eventually(() => hung('/start') >= 5, { what: 'sessions whose start hangs' });
    await app.simulator.call('PUT', '/simulator/faults', { webhooks: { lose_rate: 1 } });
    await app.simulator.post(`/api/sessions/${session.waha_name}/stop`, {});
    wakeups.wake('sessions');
    await eventually(async () => {
      const { body } = await app.simulator.get<{ status: string }>(`/api/sessions/${session.waha_name}`);
      return body.status === 'WORKING';
    }, SOON);
    expect(hung('/start')).toBe(5);
    await app.simulator.delete('/simulator/faults');
    wakeups.wake('sessions');
    const message = await send(neighbour.http, { to: '5511900000110', text: 'goes on' });
    await becomes(neighbour.http, message.id, 'sent', 'delivered', 'read');
  });
});
