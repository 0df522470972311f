import { newId } from '../../src/common/ids';
import type { UsageResponse } from '../../src/modules/tenants/dto/usage.response';
import { ApiCalls } from '../../src/platform/usage/api-calls';
import { makeKey } from '../support/api-keys';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';

const ADMIN_API_KEY = 'the platform administrator of the tests';
const DAY_MS = 86_400_000;
/** No summer time, and no two of them have the same date at any time for long: one is always a day ahead of the other. */
const [WEST, EAST] = ['Pacific/Pago_Pago', 'Pacific/Kiritimati'];

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ config: { ADMIN_API_KEY } });
});

afterAll(() => app.close());

const fresh = async (): Promise<LoggedIn> => app.login('TENANT_ADMIN', await app.make.tenant());
const usageOf = async ({ http }: LoggedIn) => (await http.get<UsageResponse>('/tenants/current/usage')).body;
const flush = () => app.app.get(ApiCalls).flush();
const dateIn = (timeZone: string) => new Intl.DateTimeFormat('en-CA', { timeZone }).format(new Date());

const callsOf = async (tenantId: string): Promise<number> => {
  const text = 'select coalesce(sum(api_calls), 0)::int as calls from tenant_usage where tenant_id = $1';
  return (await app.owner.query<{ calls: number }>(text, [tenantId])).rows[0]?.calls ?? 0;
};

describe('GET /tenants/current/usage', () => {
  it('shows what is used beside what may be', async () => {
    const own = await fresh();
    const { tenantId } = own;
    await app.login('AGENT', tenantId);
    const session = await app.make.session(tenantId);
    const gone = await app.make.session(tenantId, { status: 'DELETED' });
    await app.owner.query(`update sessions set desired = 'deleted' where id = $1`, [gone.id]);
    for (let n = 0; n < 3; n++) await app.make.message(session);
    await app.make.message(session, { direction: 'inbound', status: 'received' });
    await app.make.message(session, { created_at: new Date(Date.now() - 2 * DAY_MS) });
    const other = await app.make.session(await app.make.tenant());
    await app.make.message(other);
    await app.owner.query(`update tenants set quotas = '{"sessions": 5}' where id = $1`, [tenantId]);
    expect(await usageOf(own)).toEqual({
      day: dateIn('UTC'),
      messages_per_day: { used: 3, limit: null },
      sessions: { used: 1, limit: 5 },
      users: { used: 2, limit: null },
      storage_bytes: { used: 0, limit: null },
      requests_per_minute: { limit: null },
      api_calls: { used: expect.any(Number), limit: null },
    });
  });

  it('shows of a tenant whose messages are bounded what counts against the bound, of its own day', async () => {
    const own = await fresh();
    for (const zone of [WEST, EAST]) {
      await own.http.call('PATCH', '/tenants/current', { time_zone: zone });
      await app.owner.query(`update tenants set plan = 'free' where id = $1`, [own.tenantId]);
      const before = await usageOf(own);
      expect([before.day, before.messages_per_day]).toEqual([dateIn(zone), { used: 0, limit: 250 }]);
      const text = `insert into tenant_usage (tenant_id, day, messages) values ($1, $2, 17)
        on conflict (tenant_id, day) do update set messages = 17`;
      await app.owner.query(text, [own.tenantId, before.day]);
      expect((await usageOf(own)).messages_per_day).toEqual({ used: 17, limit: 250 });
    }
  });

  it('begins the day at midnight where the tenant is', async () => {
    for (const zone of [WEST, EAST, 'America/Sao_Paulo']) {
      const own = await fresh();
      const session = await app.make.session(own.tenantId);
      const text = `select date_trunc('day', now() at time zone $1) at time zone $1 as began`;
      const { began } = (await app.owner.query<{ began: Date }>(text, [zone])).rows[0] ?? { began: new Date(0) };
      await app.make.message(session, { created_at: new Date(began.getTime() - 1) });
      await app.make.message(session, { created_at: began });
      await own.http.call('PATCH', '/tenants/current', { time_zone: zone });
      expect((await usageOf(own)).messages_per_day).toEqual({ used: 1, limit: null });
    }
  });
});

describe('the meter of API calls', () => {
  it('counts what users and keys are answered, refusals included, and not what the platform does', async () => {
    const own = await fresh();
    const key = await makeKey(app, own.http); // 1
    await flush();
    const before = await callsOf(own.tenantId);
    for (let n = 0; n < 3; n++) await own.http.get('/messages');
    await key.http.get('/messages');
    await key.http.get(`/messages/${newId()}`);
    await app.anybody.get('/health');
    await app.anybody.with({ 'x-api-key': ADMIN_API_KEY, 'x-tenant-id': own.tenantId }).get('/messages');
    await eventually(
      async () => {
        await flush();
        return (await callsOf(own.tenantId)) === before + 5;
      },
      { what: 'five calls to be written' },
    );
    expect((await usageOf(own)).api_calls).toEqual({ used: before + 5, limit: null });
  });

  it('is written by itself, of many tenants together', async () => {
    const tenants = [await fresh(), await fresh(), await fresh()];
    await Promise.all(tenants.map(({ http }) => http.get('/messages')));
    const written = async () => {
      for (const { tenantId } of tenants) if ((await callsOf(tenantId)) === 0) return false;
      return true;
    };
    await eventually(written, { timeoutMs: 8_000, what: 'the calls to be written' });
  });

  it('keeps its counts while they cannot be written', async () => {
    const own = await fresh();
    await flush();
    const before = await callsOf(own.tenantId);
    await app.owner.query(`alter table tenant_usage rename to tenant_usage_away`);
    try {
      for (let n = 0; n < 4; n++) expect((await own.http.get('/messages')).status).toBe(200);
      await eventually(
        () =>
          flush().then(
            () => false,
            () => true,
          ),
        { what: 'a write to fail' },
      );
    } finally {
      await app.owner.query(`alter table tenant_usage_away rename to tenant_usage`);
    }
    await eventually(
      async () => {
        await flush();
        return (await callsOf(own.tenantId)) === before + 4;
      },
      { what: 'the kept calls to be written' },
    );
  });

  it('counts nowhere what a tenant did that is gone, and the others all the same', async () => {
    const [gone, stays] = [await fresh(), await fresh()];
    await flush();
    await Promise.all([gone, stays].map(({ http }) => http.get('/messages')));
    await app.owner.query('delete from tenants where id = $1', [gone.tenantId]);
    await eventually(
      async () => {
        await flush();
        return (await callsOf(stays.tenantId)) >= 1;
      },
      { what: 'the call of the one that stays to be written' },
    );
    expect(await callsOf(gone.tenantId)).toBe(0);
  });
});

describe('the end of the process', () => {
  it('writes the calls that are not written yet', async () => {
    const short = await startTestApp();
    const own = await short.login('TENANT_ADMIN');
    await short.app.get(ApiCalls).flush();
    const count = async () => {
      const text = 'select coalesce(sum(api_calls), 0)::int as calls from tenant_usage where tenant_id = $1';
      return (await short.owner.query<{ calls: number }>(text, [own.tenantId])).rows[0]?.calls ?? 0;
    };
    const before = await count();
    for (let n = 0; n < 6; n++) await own.http.get('/messages');
    await short.app.close();
    const after = await count();
    await short.close();
    expect(after).toBe(before + 6);
  });
});
