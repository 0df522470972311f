import { newId } from '../../src/common/ids';
import { DEFAULT_PACE } from '../../src/common/pace';
import type { FoundedTenantResponse } from '../../src/modules/auth/dto/founded-tenant.response';
import type { ErrorBody } from '../../src/platform/http/error-body';
import { auditRecords } from '../support/audit-records';
import type { HttpClient } from '../support/http-client';
import { startTestApp, type TestApp } from '../support/running-app';
import { foundTenant, OWNER_PASSWORD, ownerOf, tenantTerms } from '../support/tenants';

const ADMIN_API_KEY = 'the platform administrator of the tests';
const PLATFORM = '00000000-0000-0000-0000-000000000000';
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let app: TestApp;
let platform: HttpClient;

beforeAll(async () => {
  app = await startTestApp({ config: { ADMIN_API_KEY, DEFAULT_PLAN: 'business' } });
  platform = app.anybody.with({ 'x-api-key': ADMIN_API_KEY });
});

afterAll(() => app.close());

describe('POST /tenants', () => {
  it('founds a tenant with its first administrator, who can log in at once', async () => {
    const order = tenantTerms({
      plan: 'starter',
      quotas: { users: 4, sessions: null },
      settings: { currency: 'BRL', time_zone: 'america/sao_paulo', default_pace: { per_minute: 7 } },
    });
    const answer = await platform.post<FoundedTenantResponse>('/tenants', order);
    expect([answer.status, answer.headers.get('etag')]).toEqual([201, '"1"']);
    const { id } = answer.body;
    expect(answer.body).toEqual({
      id,
      name: order.name,
      slug: order.slug,
      plan: 'starter',
      status: 'active',
      quotas: { users: 4, sessions: null },
      limits: {
        messages_per_day: 5_000,
        sessions: null,
        users: 4,
        storage_bytes: 10 * 1024 ** 3,
        requests_per_minute: 600,
      },
      settings: expect.objectContaining({
        currency: 'BRL',
        time_zone: 'America/Sao_Paulo',
        default_pace: { ...DEFAULT_PACE, per_minute: 7 },
      }),
      created_at: expect.stringMatching(RFC_3339),
      updated_at: expect.stringMatching(RFC_3339),
      admin: expect.objectContaining({
        email: order.admin.email,
        name: 'Olive Owner',
        role: 'TENANT_ADMIN',
        tenant_id: id,
      }),
    });
    expect(answer.text).not.toContain(OWNER_PASSWORD);
    const own = await (
      await ownerOf(app, { email: order.admin.email, tenant: order.slug })
    ).get<{ id: string }>('/tenants/current');
    expect([own.status, own.body.id]).toEqual([200, id]);
  });

  it('gives the plan `unlimited` and the administrator the name of its mailbox where nothing is said', async () => {
    const order = tenantTerms();
    const { email, password } = order.admin;
    const { plan, admin: first } = await foundTenant(platform, { ...order, admin: { email, password } });
    expect([plan, first.name]).toEqual(['unlimited', email.split('@')[0]]);
  });

  it('records it in the chain of the tenant and in that of the platform, without the password', async () => {
    const { id, slug, admin: first } = await foundTenant(platform);
    const of = async (action: string, resource: string) =>
      (await auditRecords(app.owner, [action], resource)).map((it) => [it.tenant_id, it.actor_kind, it.metadata]);
    const made = { slug, plan: 'unlimited' };
    expect(await of('TENANT_CREATED', `tenant:${id}`)).toEqual([
      [id, 'platform', made],
      [PLATFORM, 'platform', made],
    ]);
    expect(await of('USER_CREATED', `user:${first.id}`)).toEqual([
      [id, 'platform', { role: 'TENANT_ADMIN' }],
      [PLATFORM, 'platform', { role: 'TENANT_ADMIN' }],
    ]);
    const { rows } = await app.owner.query('select 1 from audit_logs l where position($1 in l::text) > 0', [
      OWNER_PASSWORD,
    ]);
    expect(rows).toEqual([]);
  });

  it('lets one email administer several tenants', async () => {
    const first = await foundTenant(platform);
    const second = await foundTenant(platform, { admin: { email: first.admin.email, password: OWNER_PASSWORD } });
    expect(
      (await (await ownerOf(app, { email: first.admin.email, tenant: second.slug })).get('/tenants/current')).status,
    ).toBe(200);
  });

  it.each<[string, object, string]>([
    ['without a name', { name: undefined }, 'name'],
    ['with a blank name', { name: ' ' }, 'name'],
    ['without a slug', { slug: undefined }, 'slug'],
    ['with capitals in its slug', { slug: 'Acme' }, 'slug'],
    ['with a slug of one letter', { slug: 'a' }, 'slug'],
    ['with a slug too long', { slug: 'a'.repeat(64) }, 'slug'],
    ['with a slug that begins with a hyphen', { slug: '-acme' }, 'slug'],
    ['with a slug that could be an id', { slug: newId() }, 'slug'],
    ['of an unknown plan', { plan: 'gold' }, 'plan'],
    ['with a negative quota', { quotas: { users: -1 } }, 'quotas.users'],
    ['with half a quota', { quotas: { users: 1.5 } }, 'quotas.users'],
    ['with an unknown quota', { quotas: { cars: 1 } }, 'quotas.cars'],
    ['with quotas that are none', { quotas: null }, 'quotas'],
    ['with an unknown currency', { settings: { currency: 'XYZ' } }, 'settings.currency'],
    ['with an unknown setting', { settings: { colour: 'red' } }, 'settings.colour'],
    ['without an administrator', { admin: undefined }, 'admin'],
    ['with an administrator without email', { admin: { password: OWNER_PASSWORD } }, 'admin.email'],
    ['with a password too short', { admin: { email: 'a@b.example', password: 'short' } }, 'admin.password'],
    ['with a common password', { admin: { email: 'a@b.example', password: '1234567890' } }, 'admin.password'],
    ['with a status', { status: 'suspended' }, 'status'],
    ['with an id', { id: newId() }, 'id'],
  ])('refuses one %s', async (_what, more, field) => {
    const answer = await platform.post<ErrorBody>('/tenants', tenantTerms(more));
    expect(answer.outcome).toBe('400 VALIDATION_FAILED');
    expect(answer.body.details?.map((detail) => detail.field)).toContain(field);
  });

  it('refuses a slug that is taken, and the reserved one, and leaves nothing behind', async () => {
    const { slug } = await foundTenant(platform);
    const order = tenantTerms({ slug });
    expect((await platform.post('/tenants', order)).outcome).toBe('409 SLUG_TAKEN');
    expect((await platform.post('/tenants', tenantTerms({ slug: 'demo' }))).outcome).toBe('409 SLUG_TAKEN');
    const { rows } = await app.owner.query('select 1 from users where email = $1', [order.admin.email]);
    expect(rows).toEqual([]);
  });

  it('gives a slug that several want at once to exactly one', async () => {
    const slug = `race-${newId().slice(-6)}`;
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => platform.post('/tenants', tenantTerms({ slug }))),
    );
    expect(answers.map(({ outcome }) => outcome).sort()).toEqual(['201', ...Array<string>(5).fill('409 SLUG_TAKEN')]);
    const { rows } = await app.owner.query(
      'select 1 from users u join tenants t on t.id = u.tenant_id where t.slug = $1',
      [slug],
    );
    expect(rows).toHaveLength(1);
  });
});

describe('Idempotency-Key of the platform', () => {
  const withKey = (body: object, key: string) =>
    platform.call<FoundedTenantResponse>('POST', '/tenants', body, { headers: { 'idempotency-key': key } });

  /** As if the process had died before it kept its answer, longer ago than any request takes. */
  const forgetAnswer = (key: string) =>
    app.owner.query(
      `update idempotency_keys set state = 'running', lease_until = now() - interval '1 second', response_status = null,
        response_body = null where tenant_id = $1 and key = $2`,
      [PLATFORM, key],
    );

  it('answers a repeated founding with the tenant of the first, also where its answer was lost', async () => {
    const order = tenantTerms();
    const first = await withKey(order, 'founding');
    const again = await withKey(order, 'founding');
    expect([first.status, again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 201, 'true']);
    expect(again.body).toEqual(first.body);
    await forgetAnswer('founding');
    const afterCrash = await withKey(order, 'founding');
    expect([afterCrash.status, afterCrash.headers.get('idempotent-replayed')]).toEqual([201, null]);
    expect(afterCrash.body).toEqual(first.body);
    expect(await auditRecords(app.owner, ['TENANT_CREATED'], `tenant:${first.body.id}`)).toHaveLength(2);
    expect((await withKey(tenantTerms(), 'founding')).outcome).toBe('422 IDEMPOTENCY_KEY_REUSED');
  });

  it('keeps no password', async () => {
    await withKey(tenantTerms(), 'secretive');
    const { rows } = await app.owner.query(
      `select 1 from idempotency_keys k where tenant_id = $1 and position($2 in k::text) > 0`,
      [PLATFORM, OWNER_PASSWORD],
    );
    expect(rows).toEqual([]);
  });

  it('counts for changes and deletions too', async () => {
    const { id } = await foundTenant(platform);
    const write = async (method: 'PATCH' | 'DELETE', body?: object) => {
      const headers = { 'idempotency-key': 'once', ...(method === 'PATCH' ? { 'if-match': '"1"' } : {}) };
      const answer = await platform.call(method, `/tenants/${id}`, body, { headers });
      return [answer.status, answer.headers.get('idempotent-replayed')];
    };
    expect(await write('PATCH', { name: 'Other' })).toEqual([200, null]);
    expect(await write('PATCH', { name: 'Other' })).toEqual([200, 'true']);
    expect(await write('DELETE')).toEqual([202, null]);
    expect(await write('DELETE')).toEqual([202, 'true']);
  });
});

describe('DEFAULT_PLAN', () => {
  it('is the plan of those who sign up', async () => {
    const answer = await app.anybody.post<{ token: string }>('/users/register', {
      email: 'signs.up@acme.example',
      password: OWNER_PASSWORD,
    });
    const http = app.anybody.with({ authorization: `Bearer ${answer.body.token}` });
    expect((await http.get<{ plan: string }>('/tenants/current')).body.plan).toBe('business');
  });
});
