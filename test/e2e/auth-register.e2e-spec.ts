import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Client } from 'pg';
import { seedDemo } from '../../src/modules/demo/seed-demo';
import type { RegisterResponse } from '../../src/modules/auth/dto/account.response';
import type { ProfileResponse } from '../../src/modules/auth/dto/profile.response';
import { SystemDatabase } from '../../src/platform/database/system-database';
import { TenantDatabase } from '../../src/platform/database/tenant-database';
import type { ErrorBody } from '../../src/platform/http/error-body';
import { createAccount } from '../support/accounts';
import { Api } from '../support/api';
import { createTestApp } from '../support/app';
import { workerDatabase } from '../support/database';
import { eventually } from '../support/wait';

const PASSWORD = 'correct horse battery';
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let app: NestFastifyApplication;
let api: Api;
let owner: Client;

beforeAll(async () => {
  app = await createTestApp({ AUTH_RATE_LIMIT_PER_MINUTE: '100000', RATE_LIMIT_PER_MINUTE: '100000' });
  api = new Api(app);
  owner = await (await workerDatabase()).owner();
});

afterAll(async () => {
  await owner.end();
  await app.close();
});

describe('POST /users/register', () => {
  const register = (body: object) => api.post<RegisterResponse>('/users/register', body);

  it('makes a tenant with this user as its TENANT_ADMIN and logs it in', async () => {
    const answer = await register({ email: ' Jane@Acme.Example', password: PASSWORD, tenant_name: ' Jane & Sons ' });
    expect(answer.statusCode).toBe(201);
    expect(answer.body).toEqual({
      user: {
        id: expect.stringMatching(UUID_V7),
        email: 'jane@acme.example',
        created: expect.stringMatching(RFC_3339),
      },
      token: expect.any(String),
      refresh_token: expect.stringMatching(/^rt_/),
    });
    const profile = (await api.get<ProfileResponse>('/auth/profile', { token: answer.body.token })).body;
    expect(profile).toMatchObject({
      user: { id: answer.body.user.id, name: 'jane', status: 'active' },
      tenant: { slug: 'jane-sons', name: 'Jane & Sons', plan: 'unlimited', status: 'active' },
      role: 'TENANT_ADMIN',
    });
    expect((await api.post('/auth/login', { email: 'jane@acme.example', password: PASSWORD })).statusCode).toBe(200);
  });

  it('names the tenant after the domain, and gives a second of the name another slug', async () => {
    const profiles = [];
    for (const local of ['one', 'two']) {
      const { token } = (await register({ email: `${local}@same.example`, password: PASSWORD })).body;
      profiles.push((await api.get<ProfileResponse>('/auth/profile', { token })).body);
    }
    expect(profiles.map((profile) => profile.tenant?.name)).toEqual(['same.example', 'same.example']);
    expect(profiles[0]?.tenant?.slug).toBe('same-example');
    expect(profiles[1]?.tenant?.slug).toMatch(/^same-example-[0-9a-f]{6}$/);
  });

  it('refuses an email that an active user has in any tenant, and leaves nothing behind', async () => {
    const { email } = await createAccount(owner);
    const answer = await register({ email, password: PASSWORD, tenant_name: 'Left behind' });
    expect(answer.refusal).toBe('409 EMAIL_TAKEN');
    const { rows } = await owner.query(`select id from tenants where name = 'Left behind'`);
    expect(rows).toEqual([]);
  });

  it('takes the email of an inactive user', async () => {
    const { email } = await createAccount(owner, { status: 'inactive' });
    expect((await register({ email, password: PASSWORD })).statusCode).toBe(201);
  });

  it('lets exactly one of many that register the same email at once in', async () => {
    const email = 'race@acme.example';
    // All get as far as a lock lets them, before any of them has written.
    const barrier = await (await workerDatabase()).owner();
    await barrier.query('begin');
    await barrier.query('lock table tenants in share mode');
    const racers = Array.from({ length: 6 }, (_, index) =>
      register({ email, password: PASSWORD, tenant_name: `Racer ${index}` }),
    );
    await eventually(async () => {
      const { rows } = await owner.query(
        `select count(*)::int as waiting from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(rows).toEqual([{ waiting: racers.length }]);
    }).finally(() => barrier.end());
    const answers = await Promise.all(racers);
    expect(answers.map((answer) => answer.refusal).sort()).toEqual([
      '201 undefined',
      ...Array<string>(racers.length - 1).fill('409 EMAIL_TAKEN'),
    ]);
    const { rows } = await owner.query(`select count(*)::int as made from tenants where name like 'Racer %'`);
    expect(rows).toEqual([{ made: 1 }]);
  });

  it.each([
    ['a password of nine characters', { password: 'nine char' }, 'password'],
    ['a password of 74 bytes', { password: 'é'.repeat(37) }, 'password'],
    ['a common password', { password: 'Password2026!' }, 'password'],
    ['a password that is a number', { password: 1234567890 }, 'password'],
    ['an email that is none', { email: 'jane' }, 'email'],
    ['a tenant name of blanks', { tenant_name: '   ' }, 'tenant_name'],
    ['a tenant name that is too long', { tenant_name: 'x'.repeat(201) }, 'tenant_name'],
    ['a tenant name with a control character', { tenant_name: 'a\u0000b' }, 'tenant_name'],
    ['a role', { role: 'PLATFORM_ADMIN' }, 'role'],
  ])('refuses %s', async (_what, change, field) => {
    const body = { email: 'new@acme.example', password: PASSWORD, ...change };
    const answer = await api.post<ErrorBody>('/users/register', body);
    expect(answer.refusal).toBe('400 VALIDATION_FAILED');
    expect(answer.body.details?.[0]?.field).toBe(field);
  });

  it('takes a password of exactly 10 characters and one of exactly 72 bytes', async () => {
    for (const password of ['ten chars!', 'é'.repeat(36)]) {
      const email = `length${password.length}@acme.example`;
      expect((await register({ email, password })).statusCode).toBe(201);
      expect((await api.post('/auth/login', { email, password })).statusCode).toBe(200);
    }
  });

  it('is refused where self-registration is off', async () => {
    const closed = await createTestApp({ SIGNUP_ENABLED: 'false' });
    const answer = await new Api(closed).post('/users/register', { email: 'closed@acme.example', password: PASSWORD });
    await closed.close();
    expect(answer.refusal).toBe('403 SIGNUP_DISABLED');
  });
});

describe('the demo seed', () => {
  const options = { password: PASSWORD, rounds: 4, plan: 'starter' } as const;
  const seed = () => seedDemo(app.get(TenantDatabase), app.get(SystemDatabase), options);
  const everything = async (): Promise<Record<string, unknown>[]> => {
    const { rows } = await owner.query<Record<string, unknown>>(
      `select t.id, t.name, t.plan, u.email, u.role, u.password_hash, u.updated_at
       from tenants t join users u on u.tenant_id = t.id where t.slug = 'demo' order by u.email`,
    );
    return rows;
  };

  it('makes one tenant with a user of each role, even when two seed at once', async () => {
    await Promise.all([seed(), seed()]);
    const rows = await everything();
    expect(rows.map((row) => [row.name, row.plan, row.email, row.role])).toEqual([
      ['Demo', 'starter', 'admin@demo.example', 'TENANT_ADMIN'],
      ['Demo', 'starter', 'agent@demo.example', 'AGENT'],
      ['Demo', 'starter', 'auditor@demo.example', 'AUDITOR'],
      ['Demo', 'starter', 'manager@demo.example', 'MANAGER'],
    ]);
    expect(new Set(rows.map((row) => row.id)).size).toBe(1);
    for (const { email } of rows) {
      expect((await api.post('/auth/login', { email, password: PASSWORD })).statusCode).toBe(200);
    }
  });

  it('changes nothing when it runs again', async () => {
    await seed();
    const before = await everything();
    await seed();
    expect(await everything()).toEqual(before);
  });
});
