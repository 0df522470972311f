import { newId } from '../../src/common/ids';
import { startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ config: { ROLE: 'api' } });
});

afterAll(() => app.close());

/** Lines of that metric, by scrapes until they are as expected: each shows what an earlier one asked for. */
const shows = (name: string, expected: string[]) =>
  eventually(
    async () => {
      const text = (await app.anybody.get<string>('/metrics')).text;
      const lines = text.split('\n').filter((line) => line.startsWith(name));
      expect(lines.sort()).toEqual(expected.sort());
    },
    { what: name, timeoutMs: 20_000, everyMs: 200 },
  );

describe('GET /metrics', () => {
  it('tells of each WAHA server whether it is up, and how full', async () => {
    const other = newId();
    await app.owner.query(
      `insert into waha_servers (id, base_url, status, state, capacity) values ($1, 'http://127.0.0.1:9', 'down', 'draining', 7)`,
      [other],
    );
    await app.make.session(app.tenantId, { serverId: other });
    await app.make.session(app.tenantId, { serverId: other });
    await shows('switchboard_waha_server_sessions{', [`switchboard_waha_server_sessions{server="${other}"} 2`]);
    await shows('switchboard_waha_server_capacity{', [`switchboard_waha_server_capacity{server="${other}"} 7`]);
    await shows(`switchboard_waha_server_info{server="${other}"`, [
      `switchboard_waha_server_info{server="${other}",state="draining",status="down"} 1`,
    ]);
    await shows(`switchboard_waha_server_up{server="${other}"`, [`switchboard_waha_server_up{server="${other}"} 0`]);
  }, 60_000);

  it('tells how far the statistics are behind', async () => {
    await shows('switchboard_message_stats_lag_seconds', ['switchboard_message_stats_lag_seconds 0']);
    const session = await app.make.session(app.tenantId);
    await app.make.message(session, { created_at: new Date('2026-01-01T00:00:00Z') });
    await app.owner.query(`update message_stat_deltas set noted_at = noted_at - interval '100 s'`);
    const lag = async () => {
      const { text } = await app.anybody.get<string>('/metrics');
      return Number(/^switchboard_message_stats_lag_seconds (.+)$/m.exec(text)?.[1]);
    };
    await eventually(async () => expect(await lag()).toBeGreaterThanOrEqual(100), {
      what: 'the lag',
      timeoutMs: 20_000,
    });
    expect(await lag()).toBeLessThan(100_000); // when it was noted counts, not how old the message is
  }, 60_000);
});
