import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Client } from 'pg';
import type { AccountLoginResponse } from '../../src/modules/auth/dto/account.response';
import type { LoginResponse } from '../../src/modules/auth/dto/tokens.response';
import type { ErrorBody } from '../../src/platform/http/error-body';
import { createAccount, type TestAccount } from '../support/accounts';
import { Api } from '../support/api';
import { createTestApp } from '../support/app';
import { workerDatabase } from '../support/database';

const PASSWORD = 'correct horse battery';
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** The fields that a refusal names, each once. */
const faultsOf = ({ details = [] }: ErrorBody): string[] => [...new Set(details.map((detail) => detail.field))];

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

describe('POST /auth/login', () => {
  it('gives a pair of tokens and the user', async () => {
    const account = await createAccount(owner, { role: 'MANAGER' });
    const answer = await api.post('/auth/login', { email: account.email, password: account.password });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.body).toEqual({
      access_token: expect.any(String),
      refresh_token: expect.stringMatching(/^rt_/),
      token_type: 'Bearer',
      expires_in: 900,
      user: {
        id: account.userId,
        email: account.email,
        name: 'Test user',
        role: 'MANAGER',
        status: 'active',
        tenant_id: account.tenantId,
        created_at: expect.stringMatching(RFC_3339),
        updated_at: expect.stringMatching(RFC_3339),
      },
    });
  });

  it('answers under /api as well', async () => {
    const { email, password } = await createAccount(owner);
    expect((await api.post('/api/auth/login', { email, password })).statusCode).toBe(200);
  });

  it('takes the email in any case and with blanks around it', async () => {
    const { email, password } = await createAccount(owner);
    expect((await api.post('/auth/login', { email: ` ${email.toUpperCase()} `, password })).statusCode).toBe(200);
  });

  it('notes where the login came from', async () => {
    const { email, password, userId } = await createAccount(owner);
    const headers = { 'user-agent': 'a browser' };
    await app.inject({ method: 'POST', url: '/auth/login', payload: { email, password }, headers });
    const { rows } = await owner.query('select ip, user_agent, length(seed) from logins where user_id = $1', [userId]);
    expect(rows).toEqual([{ ip: '127.0.0.1', user_agent: 'a browser', length: 32 }]);
  });

  it('gives the same answer for a wrong password, an unknown email, an inactive user and a suspended tenant', async () => {
    const known = await createAccount(owner);
    const inactive = await createAccount(owner, { status: 'inactive' });
    const suspended = await createAccount(owner, { tenantStatus: 'suspended' });
    const answers = await Promise.all([
      api.post('/auth/login', { email: known.email, password: 'not the password' }),
      api.post('/auth/login', { email: known.email, password: 'short' }),
      api.post('/auth/login', { email: known.email, password: 'x'.repeat(1024) }),
      api.post('/auth/login', { email: 'nobody@acme.example', password: PASSWORD }),
      api.post('/auth/login', { email: inactive.email, password: inactive.password }),
      api.post('/auth/login', { email: suspended.email, password: suspended.password }),
      api.post('/auth/login', { email: known.email, password: known.password, tenant: 'another' }),
    ]);
    expect(answers.map((answer) => answer.refusal)).toEqual(answers.map(() => '401 AUTHENTICATION_FAILED'));
    expect(new Set(answers.map((answer) => (answer.body as ErrorBody).error)).size).toBe(1);
  });

  it.each([
    ['without an email', { password: PASSWORD }, ['email']],
    ['without a password', { email: 'jane@acme.example' }, ['password']],
    ['with two wrong fields', { email: 'not an email', password: '' }, ['email', 'password']],
    ['with an email that is too long', { email: `${'x'.repeat(250)}@acme.example`, password: PASSWORD }, ['email']],
    ['with half a character', { email: '\ud800@acme.example', password: PASSWORD }, ['email']],
    ['with a list of emails', { email: ['jane@acme.example'], password: PASSWORD }, ['email']],
    ['with a password that is too long', { email: 'jane@acme.example', password: 'x'.repeat(1025) }, ['password']],
    ['with a tenant that is no text', { email: 'jane@acme.example', password: PASSWORD, tenant: 7 }, ['tenant']],
    ['with a field unknown here', { email: 'jane@acme.example', password: PASSWORD, admin: true }, ['admin']],
  ])('refuses a body %s', async (_what, body, fields) => {
    const answer = await api.post<ErrorBody>('/auth/login', body);
    expect(answer.refusal).toBe('400 VALIDATION_FAILED');
    expect(faultsOf(answer.body)).toEqual(fields);
  });

  it('is limited by address', async () => {
    const limited = await createTestApp({ AUTH_RATE_LIMIT_PER_MINUTE: '2' });
    const codes = [];
    for (const email of ['a@acme.example', 'b@acme.example', 'c@acme.example'])
      codes.push((await new Api(limited).post('/auth/login', { email, password: PASSWORD })).statusCode);
    await limited.close();
    expect(codes).toEqual([401, 401, 429]);
  });
});

describe('an email with accounts in several tenants', () => {
  const email = 'twice@acme.example';
  let first: TestAccount;
  let second: TestAccount;

  beforeAll(async () => {
    first = await createAccount(owner, { email, password: PASSWORD });
    second = await createAccount(owner, { email, password: PASSWORD });
    await createAccount(owner, { email, password: 'only in the third' });
  });

  it.each(['/auth/login', '/users/login'])(
    'has to name its tenant at %s where the password is right in both',
    async (url) => {
      expect((await api.post(url, { email, password: PASSWORD })).refusal).toBe('409 TENANT_REQUIRED');
      const byId = await api.post<AccountLoginResponse>(url, {
        email,
        password: PASSWORD,
        tenant: first.tenantId.toUpperCase(),
      });
      expect(byId.body.user.tenant_id).toBe(first.tenantId);
      const bySlug = await api.post<AccountLoginResponse>(url, {
        email,
        password: PASSWORD,
        tenant: second.tenantSlug,
      });
      expect(bySlug.body.user.tenant_id).toBe(second.tenantId);
    },
  );

  it('gets where the password is right, without naming it', async () => {
    expect((await api.post('/auth/login', { email, password: 'only in the third' })).statusCode).toBe(200);
  });

  it('is refused where the password is wrong in all, and in the one that it names', async () => {
    expect((await api.post('/auth/login', { email, password: 'right in none' })).refusal).toBe(
      '401 AUTHENTICATION_FAILED',
    );
    const elsewhere = { email, password: 'only in the third', tenant: first.tenantId };
    expect((await api.post('/auth/login', elsewhere)).refusal).toBe('401 AUTHENTICATION_FAILED');
  });

  it('need not name it when only one of the accounts is active', async () => {
    const email = 'once@acme.example';
    await createAccount(owner, { email, password: PASSWORD, status: 'inactive' });
    const active = await createAccount(owner, { email, password: PASSWORD });
    const answer = await api.post<LoginResponse>('/auth/login', { email, password: PASSWORD });
    expect(answer.body.user.id).toBe(active.userId);
  });
});

describe('POST /users/login', () => {
  it('gives the user and its tokens', async () => {
    const { email, password, userId } = await createAccount(owner);
    const answer = await api.post<AccountLoginResponse>('/users/login', { email, password });
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toEqual({
      user: expect.objectContaining({ id: userId, email }),
      token: expect.any(String),
      refresh_token: expect.stringMatching(/^rt_/),
    });
    expect((await api.me(answer.body.token)).body.id).toBe(userId);
    expect((await api.refresh(answer.body.refresh_token)).statusCode).toBe(200);
  });

  it('refuses a wrong password', async () => {
    const { email } = await createAccount(owner);
    expect((await api.post('/users/login', { email, password: PASSWORD })).refusal).toBe('401 AUTHENTICATION_FAILED');
  });
});
