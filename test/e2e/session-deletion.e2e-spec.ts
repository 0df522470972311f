import { startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import { send, type WireMessage, workingSession } from '../support/whatsapp';
import { differences } from '../database/message-stats.harness';
import { campaign, phones, stream } from './campaigns.harness';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});

afterAll(() => app.close());

const COUNTS = `
  select count(*) filter (where status in ('queued', 'scheduled'))::int as waiting,
    count(*) filter (where status = 'cancelled')::int as cancelled from messages where tenant_id = $1`;

describe('DELETE /waha/sessions/:id with much in its queue', () => {
  it('cancels a portion at once and the rest by and by, with figures that are right at each step', async () => {
    const { http, tenantId } = await app.login('TENANT_ADMIN', await app.make.tenant());
    const session = await workingSession(app, http);
    await http.call('PATCH', `/waha/sessions/${session.id}`, { pace: { per_minute: 1, burst: 1 } });
    const recipients = phones(3_000).map((number) => JSON.stringify({ to: number }));
    const query = { text: 'x', session_id: session.id };
    const { campaign_id: id } = (await stream(http, 'application/x-ndjson', recipients.join('\n'), query)).body;
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const scheduled = await send(http, { to: '5511999990001', text: 'later', scheduled_at: later });
    const counts = async () =>
      (await app.owner.query<{ waiting: number; cancelled: number }>(COUNTS, [tenantId])).rows[0];

    expect((await http.call('DELETE', `/waha/sessions/${session.id}`)).status).toBe(204);
    const atOnce = await counts();
    expect(atOnce?.cancelled).toBeGreaterThanOrEqual(500);

    const seen: { waiting: number; status: string }[] = [];
    await eventually(
      async () => {
        const { status } = await campaign(http, id);
        const now = await counts();
        expect(await differences(app.owner, tenantId)).toEqual([]);
        seen.push({ waiting: now?.waiting ?? NaN, status });
        if (now?.waiting !== 0) throw new Error(`${now?.waiting} still wait`);
      },
      { what: 'all to be cancelled', timeoutMs: 30_000, everyMs: 20 },
    );
    // It ends with the last of its messages, not before.
    expect(seen.filter(({ waiting, status }) => waiting > 0 && status === 'finished')).toEqual([]);
    await eventually(async () => expect((await campaign(http, id)).status).toBe('finished'), {
      what: 'the campaign to end',
      timeoutMs: 10_000,
    });
    const { rows } = await app.owner.query(
      `select count(*)::int as messages, count(e.id)::int as entries from messages m left join message_events e
        on e.tenant_id = m.tenant_id and e.message_id = m.id and e.status = 'cancelled' and e.note = 'session deleted'
        where m.tenant_id = $1 and m.status = 'cancelled'`,
      [tenantId],
    );
    const total = (await counts())?.cancelled;
    expect(rows).toEqual([{ messages: total, entries: total }]);
    expect(total).toBeGreaterThan(2_900);
    expect((await http.get<WireMessage>(`/messages/${scheduled.id}`)).body.status).toBe('cancelled');
    await eventually(
      async () => expect((await app.owner.query('select from sessions where clearing')).rowCount).toBe(0),
      { what: 'the session to be forgotten' },
    );
  }, 60_000);
});
