import type { OwnTenantResponse } from '../../src/modules/tenants/dto/settings.response';
import type { ErrorBody } from '../../src/platform/http/error-body';
import { makeKey } from '../support/api-keys';
import { auditRecords } from '../support/audit-records';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';

const ADMIN_API_KEY = 'the platform administrator of the tests';
const PLATFORM = '00000000-0000-0000-0000-000000000000';

let app: TestApp;
let admin: LoggedIn;

beforeAll(async () => {
  app = await startTestApp({ config: { ADMIN_API_KEY } });
  admin = await app.login('TENANT_ADMIN');
});

afterAll(() => app.close());

/** The administrator of a tenant of its own. */
const fresh = async (): Promise<LoggedIn> => app.login('TENANT_ADMIN', await app.make.tenant());

const patch = ({ http }: Pick<LoggedIn, 'http'>, body: object, headers: Record<string, string> = {}) =>
  http.call<OwnTenantResponse & ErrorBody>('PATCH', '/tenants/current', body, { headers });

describe('who sees and sets a tenant’s settings', () => {
  it.each([
    ['GET', '/tenants/current'],
    ['PATCH', '/tenants/current'],
    ['GET', '/tenants/current/usage'],
  ])('is its administrator: %s %s', async (method, path) => {
    const body = method === 'GET' ? undefined : {};
    expect((await app.anybody.call(method, path, body)).outcome).toBe('401 AUTHENTICATION_FAILED');
    for (const role of ['MANAGER', 'AGENT', 'AUDITOR'] as const)
      expect((await (await app.login(role)).http.call(method, path, body)).outcome).toBe('403 FORBIDDEN');
    const key = await makeKey(app, admin.http);
    expect((await key.http.call(method, path, body)).status).toBe(200);
    const platform = app.anybody.with({ 'x-api-key': ADMIN_API_KEY });
    expect((await platform.call(method, path, body)).outcome).toBe('400 VALIDATION_FAILED');
    const inside = platform.with({ 'x-tenant-id': admin.tenantId });
    expect((await inside.call(method, path, body)).status).toBe(200);
    const other = admin.http.with({ 'x-tenant-id': await app.make.tenant() });
    expect((await other.call(method, path, body)).outcome).toBe('404 TENANT_NOT_FOUND');
  });
});

describe('GET /tenants/current', () => {
  it('shows what holds where nobody set anything, and whose it is', async () => {
    const { http, tenantId, tenantSlug } = await fresh();
    const answer = await http.get<OwnTenantResponse>('/tenants/current');
    expect([answer.status, answer.headers.get('etag')]).toEqual([200, '"1"']);
    expect(answer.body).toEqual({
      id: tenantId,
      slug: tenantSlug,
      name: 'Factory Ltd.',
      plan: 'unlimited',
      status: 'active',
      currency: 'EUR',
      time_zone: 'UTC',
      quiet_hours: null,
      opt_out_words: expect.arrayContaining(['STOP', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT']),
      opt_in_words: expect.arrayContaining(['START']),
      default_pace: {
        ...{ per_minute: 20, burst: 5, jitter_ms: 1_500, daily_cap: 1_000, first_contacts_per_day: 50 },
        warmup: { enabled: false, days: 14, start_per_day: 20 },
      },
      vip_thresholds: { silver: 5_000, gold: 10_000 },
      order_messages: { confirmation: null, completion: null, cancellation: null },
    });
  });
});

describe('PATCH /tenants/current', () => {
  it('changes what is named and nothing else', async () => {
    const own = await fresh();
    const before = (await own.http.get<OwnTenantResponse>('/tenants/current')).body;
    const change = {
      currency: 'BRL',
      time_zone: 'America/Sao_Paulo',
      quiet_hours: { from: '22:00', to: '07:30' },
      opt_out_words: [' stop ', 'Sair'],
      opt_in_words: ['voltar'],
      default_pace: {
        ...{ per_minute: 60_000, burst: 1_000, jitter_ms: 0, daily_cap: 9, first_contacts_per_day: 3 },
        warmup: { enabled: true, days: 9, start_per_day: 2 },
      },
    };
    const answer = await patch(own, change);
    const after = { ...before, ...change, opt_out_words: ['STOP', 'SAIR'], opt_in_words: ['VOLTAR'] };
    expect([answer.status, answer.headers.get('etag'), answer.body]).toEqual([200, '"2"', after]);
    const narrow = await patch(own, { quiet_hours: null, default_pace: { burst: 2 } });
    const last = { ...after, quiet_hours: null, default_pace: { ...change.default_pace, burst: 2 } };
    expect([narrow.body, narrow.headers.get('etag')]).toEqual([last, '"3"']);
    const read = await own.http.get('/tenants/current');
    expect([read.body, read.headers.get('etag')]).toEqual([last, '"3"']);
  });

  it('leaves the tenants beside it alone', async () => {
    const [own, other] = [await fresh(), await fresh()];
    await patch(own, { currency: 'CHF' });
    expect((await other.http.get<OwnTenantResponse>('/tenants/current')).body.currency).toBe('EUR');
  });

  it('records the names of the fields, in the tenant’s own chain alone', async () => {
    const own = await fresh();
    await patch(own, { currency: 'CHF', quiet_hours: { from: '20:00', to: '08:00' }, time_zone: 'UTC' });
    const records = await auditRecords(app.owner, ['TENANT_UPDATED'], `tenant:${own.tenantId}`);
    expect(records.map((it) => [it.tenant_id, it.actor_kind, it.actor_id, it.metadata])).toEqual([
      [own.tenantId, 'user', own.userId, { fields: ['settings.currency', 'settings.quiet_hours'] }],
    ]);
  });

  it('records what the platform changes inside a tenant in both chains', async () => {
    const { tenantId } = await fresh();
    const http = app.anybody.with({ 'x-api-key': ADMIN_API_KEY, 'x-tenant-id': tenantId });
    expect((await patch({ http }, { currency: 'CHF' })).status).toBe(200);
    const records = await auditRecords(app.owner, ['TENANT_UPDATED'], `tenant:${tenantId}`);
    expect(records.map((it) => [it.tenant_id, it.actor_kind])).toEqual([
      [tenantId, 'platform'],
      [PLATFORM, 'platform'],
    ]);
  });

  it('leaves everything as it is, and records nothing, where nothing changes', async () => {
    const own = await fresh();
    const answer = await patch(own, { currency: 'EUR', time_zone: 'utc', quiet_hours: null });
    expect([answer.status, answer.headers.get('etag')]).toEqual([200, '"1"']);
    expect(await auditRecords(app.owner, ['TENANT_UPDATED'], `tenant:${own.tenantId}`)).toEqual([]);
  });

  it('refuses a change that was meant for another state', async () => {
    const own = await fresh();
    expect((await patch(own, { currency: 'CHF' }, { 'if-match': '"1"' })).status).toBe(200);
    expect((await patch(own, { currency: 'USD' }, { 'if-match': '"1"' })).outcome).toBe('412 PRECONDITION_FAILED');
  });

  it.each<[object, string]>([
    [{ currency: 'eur' }, 'currency'],
    [{ currency: 'XYZ' }, 'currency'],
    [{ currency: null }, 'currency'],
    [{ time_zone: 'Europe/Atlantis' }, 'time_zone'],
    [{ time_zone: '+01:00' }, 'time_zone'],
    [{ time_zone: 5 }, 'time_zone'],
    [{ quiet_hours: { from: '24:00', to: '07:00' } }, 'quiet_hours.from'],
    [{ quiet_hours: { from: '22:00' } }, 'quiet_hours.to'],
    [{ quiet_hours: { from: '22:00', to: '07:00', on: 'Sunday' } }, 'quiet_hours.on'],
    [{ quiet_hours: '22:00' }, 'quiet_hours'],
    [{ opt_out_words: [] }, 'opt_out_words'],
    [{ opt_out_words: ['STOP', 'stop'] }, 'opt_out_words'],
    [{ opt_out_words: ['x'.repeat(41)] }, 'opt_out_words'],
    [{ opt_out_words: Array.from({ length: 101 }, (_, n) => `W${n}`) }, 'opt_out_words'],
    [{ opt_out_words: ['a\nb'] }, 'opt_out_words'],
    [{ opt_out_words: [7] }, 'opt_out_words'],
    [{ opt_out_words: 'STOP' }, 'opt_out_words'],
    [{ opt_in_words: [' '] }, 'opt_in_words'],
    [{ opt_in_words: ['stop'] }, 'opt_in_words'],
    [{ default_pace: { per_minute: 0 } }, 'default_pace.per_minute'],
    [{ default_pace: { per_minute: 60_001 } }, 'default_pace.per_minute'],
    [{ default_pace: { burst: 1_001 } }, 'default_pace.burst'],
    [{ default_pace: { jitter_ms: 60_001 } }, 'default_pace.jitter_ms'],
    [{ default_pace: null }, 'default_pace'],
    [{ vip_thresholds: { silver: 10_000 } }, 'vip_thresholds'],
    [{ vip_thresholds: { silver: '10000.0001', gold: 10_000 } }, 'vip_thresholds'],
    [{ vip_thresholds: { silver: -1 } }, 'vip_thresholds.silver'],
    [{ vip_thresholds: { gold: '1.00001' } }, 'vip_thresholds.gold'],
    [{ vip_thresholds: { gold: null } }, 'vip_thresholds.gold'],
    [{ vip_thresholds: { platinum: 50_000 } }, 'vip_thresholds.platinum'],
    [{ plan: 'unlimited' }, 'plan'],
    [{ quotas: {} }, 'quotas'],
    [{ status: 'active' }, 'status'],
    [{ name: 'Mine' }, 'name'],
  ])('refuses %j', async (body, field) => {
    const answer = await patch(admin, body);
    expect([answer.outcome, answer.body.details?.map((detail) => detail.field)]).toEqual([
      '400 VALIDATION_FAILED',
      [field],
    ]);
  });
});
