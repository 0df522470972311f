import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { randomUUID } from 'node:crypto';
import { freePort } from '../../src/embedded/postgres-server';
import type { ErrorBody } from '../../src/platform/http/error-body';
import { Readiness } from '../../src/platform/http/readiness';
import { shutDown } from '../../src/platform/http/shutdown';
import { newId } from '../../src/common/ids';
import { type Acceptance, type Accepted, MessageAcceptor } from '../../src/modules/messages/message-acceptor.service';
import { WahaServers } from '../../src/modules/waha/waha-servers.service';
import { createTestApp } from '../support/app';
import type { TestSession } from '../support/factories';
import type { HttpClient } from '../support/http-client';
import { startTestApp, type TestApp } from '../support/running-app';
import type { WireMessage, WireSession } from '../support/whatsapp';

let app: TestApp;
let second: NestFastifyApplication;
let secondUrl: string;

beforeAll(async () => {
  app = await startTestApp();
  const port = await freePort();
  secondUrl = `http://127.0.0.1:${port}`;
  second = await createTestApp({
    DATABASE_URL: app.db.ownerUrl,
    WAHA_BASE_URL: app.simulator.baseUrl,
    RATE_LIMIT_PER_MINUTE: '100000',
    ROLE: 'api',
  });
  await second.listen(port, '127.0.0.1');
  second.get(Readiness).ready();
  // While there is one server yet: the factories make another, which is nobody's.
  await second.get(WahaServers).all();
});

afterAll(async () => {
  await shutDown(second, 20_000);
  await app.close();
});

/** A tenant with these quotas and a session whose messages wait. */
async function tenantWith(quotas: object, settings: object = {}): Promise<{ http: HttpClient; session: TestSession }> {
  const tenantId = await app.make.tenant();
  await app.owner.query('update tenants set quotas = $2, settings = $3 where id = $1', [tenantId, quotas, settings]);
  const { http } = await app.login('TENANT_ADMIN', tenantId);
  return { http, session: await app.make.session(tenantId) };
}

const usageOf = async ({ tenantId }: TestSession) => {
  const { rows } = await app.owner.query<{ messages: string }>(
    'select messages from tenant_usage where tenant_id = $1',
    [tenantId],
  );
  return rows.map(({ messages }) => Number(messages));
};

const storedOf = async ({ tenantId }: TestSession) => {
  const { rows } = await app.owner.query<{ count: number }>(
    'select count(*)::int as count from messages where tenant_id = $1',
    [tenantId],
  );
  return rows[0]?.count;
};

const post = (http: HttpClient, { id }: TestSession, headers: Record<string, string> = {}) =>
  http.post<WireMessage>('/messages/send', { session_id: id, to: '5511888880000', text: 'hello' }, { headers });

const tally = (outcomes: string[]) =>
  Object.fromEntries([...new Set(outcomes)].map((outcome) => [outcome, outcomes.filter((o) => o === outcome).length]));

/** Until the next midnight in UTC, as the test sees it. */
const secondsToMidnight = () => Math.ceil((new Date().setUTCHours(24, 0, 0, 0) - Date.now()) / 1000);

describe('messages_per_day', () => {
  it('lets exactly as many through as are left, over two processes, and again the next day', async () => {
    const { http, session } = await tenantWith({ messages_per_day: 50 });
    const both = [http, http.at(secondUrl)];
    const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => post(both[i % 2] as HttpClient, session)));
    expect(tally(answers.map(({ outcome }) => outcome))).toEqual({ '202': 50, '429 QUOTA_EXCEEDED': 150 });
    expect([await storedOf(session), await usageOf(session)]).toEqual([50, [50]]);
    await app.owner.query('update tenant_usage set day = day - 1 where tenant_id = $1', [session.tenantId]);
    expect((await post(http, session)).status).toBe(202);
    expect((await usageOf(session)).sort()).toEqual([1, 50]);
  });

  it('says the figure, and how long until midnight in the time zone of the tenant', async () => {
    const { http, session } = await tenantWith({ messages_per_day: 0 }, { time_zone: 'Etc/GMT-5' });
    const refused = await post(http, session);
    expect(refused.outcome).toBe('429 QUOTA_EXCEEDED');
    expect((refused.body as unknown as ErrorBody).error).toContain('0 messages a day');
    const expected = (secondsToMidnight() + 19 * 3600) % 86_400;
    const told = Number(refused.headers.get('retry-after'));
    expect(Math.min(Math.abs(told - expected), 86_400 - Math.abs(told - expected))).toBeLessThan(30);
  });

  it('counts a repeated request once, also when nothing is left', async () => {
    const { http, session } = await tenantWith({ messages_per_day: 1 });
    const key = { 'idempotency-key': randomUUID() };
    const first = await post(http, session, key);
    // The answer is lost and its claim runs out, as after a crash: the same request runs once more.
    await app.owner.query(`update idempotency_keys set state = 'running', lease_until = now() where tenant_id = $1`, [
      session.tenantId,
    ]);
    const again = await post(http, session, key);
    expect([first.status, again.status, again.body.id]).toEqual([202, 202, first.body.id]);
    expect((await post(http, session)).outcome).toBe('429 QUOTA_EXCEEDED');
    expect([await storedOf(session), await usageOf(session)]).toEqual([1, [1]]);
  });

  it('does not count what no session takes', async () => {
    const { http, session } = await tenantWith({ messages_per_day: 5 });
    const nowhere = await post(http, { ...session, id: newId() });
    expect([nowhere.outcome, await usageOf(session)]).toEqual(['404 NOT_FOUND', []]);
  });

  it('touches nobody without a bound, also in one statement with those who have one', async () => {
    const limited = await tenantWith({ messages_per_day: 3 });
    const other = await tenantWith({ messages_per_day: 2 });
    const free = await tenantWith({});
    const acceptor = app.app.get(MessageAcceptor);
    const sends: [TestSession, Accepted['quota']][] = Array.from(
      { length: 30 },
      (_, i) =>
        [
          [limited.session, { limit: 3, day: '2026-11-24' }],
          [free.session, null],
          [other.session, { limit: 2, day: '2026-11-25' }],
        ][i % 3] as [TestSession, Accepted['quota']],
    );
    const results = await Promise.all(sends.map(([session, quota]) => acceptor.accept(textOf(session, quota))));
    const of = ({ session }: { session: TestSession }): (Acceptance | undefined)[] =>
      results.filter((_, i) => sends[i]?.[0] === session);
    const kinds = (outcomes: (Acceptance | undefined)[]) => outcomes.map((o) => (typeof o === 'object' ? 'stored' : o));
    expect(kinds(of(limited))).toEqual([...Array<string>(3).fill('stored'), ...Array<string>(7).fill('over_quota')]);
    expect(tally(kinds(of(other)) as string[])).toEqual({ stored: 2, over_quota: 8 });
    expect(tally(kinds(of(free)) as string[])).toEqual({ stored: 10 });
    expect(await Promise.all([limited, other, free].map(({ session }) => usageOf(session)))).toEqual([[3], [2], []]);
  });

  it('counts a message once that comes twice in one statement', async () => {
    const { session } = await tenantWith({ messages_per_day: 2 });
    const acceptor = app.app.get(MessageAcceptor);
    const quota = { limit: 2, day: '2026-11-24' };
    const message = textOf(session, quota);
    await Promise.all([textOf(session, quota), message, message].map((each) => acceptor.accept(each)));
    expect([await storedOf(session), await usageOf(session)]).toEqual([2, [2]]);
  });

  it('grants nothing, and takes nothing back, where the bound was lowered below what was used', async () => {
    const { session } = await tenantWith({ messages_per_day: 5 });
    const acceptor = app.app.get(MessageAcceptor);
    for (let i = 0; i < 3; i++) await acceptor.accept(textOf(session, { limit: 5, day: '2026-11-24' }));
    expect(await acceptor.accept(textOf(session, { limit: 2, day: '2026-11-24' }))).toBe('over_quota');
    expect(await usageOf(session)).toEqual([3]);
  });
});

const textOf = ({ tenantId, id }: TestSession, quota: Accepted['quota']): Accepted => ({
  tenantId,
  id: newId(),
  sessionId: id,
  chat: '5511888880000@c.us',
  type: 'text',
  scheduledAt: null,
  expiresAt: null,
  body: 'hello',
  content: {},
  metadata: {},
  createdBy: newId(),
  quota,
});

describe('the quota of sessions', () => {
  const inWaha = async () => (await app.simulator.get<{ name: string }[]>('/api/sessions?all=true')).body.length;

  it('lets exactly as many be made as are left, and a deleted one makes room', async () => {
    const tenantId = await app.make.tenant();
    await app.owner.query(`update tenants set quotas = '{"sessions": 3}' where id = $1`, [tenantId]);
    const { http } = await app.login('TENANT_ADMIN', tenantId);
    const before = await inWaha();
    const both = [http, http.at(secondUrl)];
    const create = (i: number) =>
      (both[i % 2] as HttpClient).post<WireSession>('/waha/sessions', { name: `shop ${i}` });
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => create(i)));
    expect(tally(answers.map(({ outcome }) => outcome))).toEqual({ '201': 3, '402 PLAN_LIMIT_REACHED': 7 });
    const refused = answers.find(({ status }) => status === 402);
    expect((refused?.body as unknown as ErrorBody).error).toContain('3 sessions');
    expect((await inWaha()) - before).toBe(3);
    const made = answers.find(({ status }) => status === 201);
    expect((await http.delete(`/waha/sessions/${made?.body.id}`)).status).toBe(204);
    expect([(await create(11)).status, (await create(12)).status]).toEqual([201, 402]);
    const { rows } = await app.owner.query(
      `select from audit_logs where tenant_id = $1 and action = 'SESSION_CREATED'`,
      [tenantId],
    );
    expect(rows).toHaveLength(4);
  });
});
