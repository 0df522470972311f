import type { MessageStatsResponse } from '../../src/modules/messages/dto/message-stats.response';
import { type HttpClient } from '../support/http-client';
import { statsFolded } from '../support/message-stats';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import { becomes, send, type Wire, workingSession } from '../support/whatsapp';
import { differences } from '../database/message-stats.harness';
import { bulk, campaignIs, phones } from './campaigns.harness';

type Stats = Wire<MessageStatsResponse>;

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});

afterAll(() => app.close());

const business = async (): Promise<LoggedIn> => app.login('TENANT_ADMIN', await app.make.tenant());

const stats = async (http: HttpClient, query = ''): Promise<Stats> => {
  const answer = await http.get<Stats>(`/messages/stats${query}`);
  expect(answer.outcome).toBe('200');
  return answer.body;
};

describe('GET /messages/stats', () => {
  it('says what became of sends, acks, retries, cancels, campaigns and deleted sessions, at once and exactly', async () => {
    const { http, tenantId, userId } = await business();
    const session = await workingSession(app, http);
    const sent = await Promise.all(
      phones(12, 500).map((to) => send(http, { session_id: session.id, to, text: 'hello' })),
    );
    await app.simulator.post(`/simulator/sessions/${session.waha_name}/inbound`, {
      from: '442079460958@c.us',
      text: 'Hi',
    });
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const waiting = await send(http, { session_id: session.id, to: '5511999990000', text: 'x', scheduled_at: later });
    await http.post(`/messages/${waiting.id}/cancel`, {});
    // Seen at once, folded or not.
    expect((await stats(http)).outbound).toMatchObject({ cancelled: 1 });
    const { body: made } = await bulk(http, {
      session_id: session.id,
      message: { text: 'offer' },
      recipients: phones(9).map((to) => ({ to })),
    });
    await campaignIs(http, made.campaign_id, 'finished');
    for (const { id } of sent) await becomes(http, id, 'read');
    await app.owner.query(
      `update messages set status = 'failed', sent_at = null, delivered_at = null, read_at = null, retryable = true where id = $1`,
      [sent[0]?.id],
    );
    expect((await http.post(`/messages/${sent[0]?.id}/retry`, {})).status).toBe(202);
    await send(http, { session_id: session.id, to: '5511999990001', text: 'x', scheduled_at: later });
    expect((await http.delete(`/waha/sessions/${session.id}`)).status).toBeLessThan(300);
    await eventually(async () => (await stats(http)).inbound.received === 1);
    await statsFolded(app.owner, tenantId);
    expect(await differences(app.owner, tenantId)).toEqual([]);
    const told = await stats(http, '?group_by=campaign');
    const { rows } = await app.owner.query<{ status: string; n: number }>(
      `select status, count(*)::int as n from messages where tenant_id = $1 and direction = 'outbound' group by 1`,
      [tenantId],
    );
    expect(told.outbound).toEqual(Object.fromEntries(rows.map(({ status, n }) => [status, n])));
    expect(told.groups.map(({ key, total }) => [key, total])).toEqual([
      [null, 15],
      [made.campaign_id, 9],
    ]);
    expect(told.groups[1]).toMatchObject({ accept_to_sent: { messages: 9 }, delivery_rate: expect.any(Number) });
    const people = await stats(http, '?group_by=agent');
    expect(people.groups.map(({ key, total }) => [key, total])).toEqual([
      [userId, 23],
      [null, 1],
    ]);
    expect((await stats(http, '?group_by=session')).groups.map(({ key }) => key)).toEqual([session.id]);
  }, 60_000);

  it("groups by hours and days of the tenant's time zone", async () => {
    const { http, tenantId } = await business();
    await app.owner.query(`update tenants set settings = '{"time_zone": "Asia/Kathmandu"}' where id = $1`, [tenantId]);
    const session = await app.make.session(tenantId);
    // Midnight is at 18:15 UTC.
    for (const at of ['2026-03-09T18:14:59Z', '2026-03-09T18:15:00Z', '2026-03-10T18:14:59Z', '2026-03-10T18:15:00Z'])
      await app.make.message(session, { created_at: new Date(at) });
    const span = 'from=2026-03-09T18:00:00Z&to=2026-03-11T00:00:00Z';
    const days = await stats(http, `?${span}&group_by=day`);
    expect(days.time_zone).toBe('Asia/Kathmandu');
    expect(days.groups.map(({ key, total }) => [key, total])).toEqual([
      ['2026-03-09', 1],
      ['2026-03-10', 2],
      ['2026-03-11', 1],
    ]);
    const hours = await stats(http, `?${span}&group_by=hour`);
    expect(hours.groups.map(({ key, total }) => [key, total])).toEqual([
      ['2026-03-09T17:15:00Z', 1],
      ['2026-03-09T18:15:00Z', 1],
      ['2026-03-10T17:15:00Z', 1],
      ['2026-03-10T18:15:00Z', 1],
    ]);
    const some = await stats(http, '?from=2026-03-09T18:20:00Z&to=2026-03-10T18:01:00Z');
    expect(some).toMatchObject({
      total: 2,
      from: '2026-03-09T18:15:00.000Z',
      to: '2026-03-10T18:15:00.000Z',
      groups: [],
    });
  });

  it('shows an agent its own messages, and nobody those of another tenant', async () => {
    const { tenantId, http } = await business();
    const agent = await app.login('AGENT', tenantId);
    const session = await app.make.session(tenantId);
    await app.make.message(session, { created_by: agent.userId });
    await app.make.message(session);
    expect((await stats(http)).total).toBe(2);
    const own = await stats(agent.http, '?group_by=agent');
    expect([own.total, own.groups.map(({ key }) => key)]).toEqual([1, [agent.userId]]);
    const { http: stranger } = await business();
    expect(await stats(stranger)).toMatchObject({
      total: 0,
      inbound: {},
      outbound: {},
      delivery_rate: null,
      accept_to_sent: { messages: 0, median_ms: null, p95_ms: null },
      groups: [],
      truncated: false,
      from: null,
    });
  });

  it.each([
    ['from=2026-03-09T00:00:00Z&to=2026-03-09T00:00:00Z', 'to'],
    ['from=2999-01-01T00:00:00Z', 'to'],
    ['from=yesterday', 'from'],
    ['group_by=week', 'group_by'],
    ['group_by=hour&from=2026-01-01T00:00:00Z&to=2026-02-02T00:00:00Z', 'from'],
    ['group_by=day&from=2024-01-01T00:00:00Z&to=2026-02-02T00:00:00Z', 'from'],
  ])('refuses %s', async (query, field) => {
    const { http } = await business();
    const answer = await http.get(`/messages/stats?${query}`);
    expect(answer.outcome).toBe('400 VALIDATION_FAILED');
    expect(answer.text).toContain(`"${field}"`);
  });
});
