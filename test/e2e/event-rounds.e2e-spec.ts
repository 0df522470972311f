import type { TestSession } from '../support/factories';
import { startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';

/** More than the worker takes in one round. */
const SESSIONS = 230;
const BACKLOG = 30_000;

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});

afterAll(() => app.close());

const pendingOf = async (condition: string, id: string) => {
  const { rows } = await app.owner.query<{ n: number }>(
    `select count(*)::int as n from webhook_events where status = 'pending' and session_id ${condition} $1`,
    [id],
  );
  return rows[0]?.n ?? -1;
};

describe('the event worker', () => {
  it('serves all sessions, more than one round has, while one of them has a huge backlog', async () => {
    const sessions: TestSession[] = [];
    for (let i = 0; i < SESSIONS; i += 1) sessions.push(await app.make.session(app.tenantId));
    const [busy] = sessions as [TestSession];
    const rest = sessions.slice(1).map(({ id }) => id);
    await app.owner.query('begin');
    await app.owner.query(
      `insert into webhook_events (tenant_id, session_id, event, event_id, body)
        select $1, $2, 'nobody.acts', n::text, '{}' from generate_series(1, $3::int) n`,
      [app.tenantId, busy.id, BACKLOG],
    );
    await app.owner.query(
      `insert into webhook_events (tenant_id, session_id, event, event_id, body)
        select $1, id, 'nobody.acts', n::text, '{}' from unnest($2::uuid[]) id, generate_series(1, 3) n`,
      [app.tenantId, rest],
    );
    await app.owner.query('commit');
    await eventually(async () => (await pendingOf('<>', busy.id)) === 0, {
      timeoutMs: 20_000,
      what: 'the other sessions',
    });
    expect(await pendingOf('=', busy.id)).toBeGreaterThan(0);
    const { rows } = await app.owner.query(`select distinct status from webhook_events where session_id <> $1`, [
      busy.id,
    ]);
    expect(rows).toEqual([{ status: 'ignored' }]);
  });
});
