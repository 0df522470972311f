import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { freePort } from '../../src/embedded/postgres-server';
import { Readiness } from '../../src/platform/http/readiness';
import { shutDown } from '../../src/platform/http/shutdown';
import { createTestApp } from '../support/app';
import type { HttpClient } from '../support/http-client';
import { startRedis, type TestRedis } from '../support/redis';
import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';

const ADMIN_API_KEY = 'the platform administrator of the tests';
/** Five seconds are promised (spec: identity.md); the rest is for the call itself. */
const ELSEWHERE_MS = 5_500;
const UNKNOWN = '401 AUTHENTICATION_FAILED';

/** A right that is taken away. */
interface Case {
  name: string;
  /** Who has it. */
  http: HttpClient;
  /** A call that it allows. */
  path: string;
  /** Takes it away, on the first process. */
  revoke: () => Promise<unknown>;
  /** What the call is answered from then on. */
  outcome: string;
}

describe.each(['with Redis shared', 'with Redis away', 'without Redis'] as const)('what is taken away, %s,', (mode) => {
  let redis: TestRedis | undefined;
  let app: TestApp;
  let second: NestFastifyApplication;
  let elsewhere: string;
  let cases: Case[];

  beforeAll(async () => {
    redis = mode === 'without Redis' ? undefined : await startRedis();
    const config = { ADMIN_API_KEY, ...(redis ? { REDIS_URL: redis.url } : {}) };
    app = await startTestApp({ config });
    const port = await freePort();
    second = await createTestApp({ DATABASE_URL: app.db.ownerUrl, ...config });
    await second.listen(port, '127.0.0.1');
    second.get(Readiness).ready();
    elsewhere = `http://127.0.0.1:${port}`;
    cases = await casesOf(app);
    if (mode === 'with Redis away') await redis?.kill();
  });

  afterAll(async () => {
    await shutDown(second, 20_000);
    await app.close();
    await redis?.stop();
  });

  it('is gone on the next request here, and within 5 s on another process', async () => {
    for (const { name, http, path } of cases)
      for (const base of [app.url, elsewhere])
        expect([name, (await http.at(base).get(path)).status]).toEqual([name, 200]);
    await Promise.all(cases.map((each) => takenAway(each)));
  });

  async function takenAway({ name, http, path, revoke, outcome }: Case): Promise<void> {
    await revoke();
    expect([name, (await http.get(path)).outcome]).toEqual([name, outcome]);
    const there = http.at(elsewhere);
    await eventually(async () => (await there.get(path)).outcome === outcome, {
      timeoutMs: ELSEWHERE_MS,
      what: `${name} to be noticed elsewhere`,
    });
  }
});

const ok = async (call: Promise<{ status: number; outcome: string }>): Promise<void> => {
  const { status, outcome } = await call;
  if (status >= 300) throw new Error(`Taking it away gave ${outcome}`);
};

async function casesOf(app: TestApp): Promise<Case[]> {
  const admin = await app.login('TENANT_ADMIN');
  const platform = app.anybody.with({ 'x-api-key': ADMIN_API_KEY });
  const [leaver, demoted, inactive, gone, careful] = [
    await app.login('AGENT'),
    await app.login('MANAGER'),
    await app.login('AGENT'),
    await app.login('AGENT'),
    await app.login('AGENT'),
  ];
  const otherLogin = await again(app, careful);
  const suspended = await app.login('TENANT_ADMIN', await app.make.tenant());
  const suspendedKey = await keyOf(app, suspended);
  const revokedKey = await keyOf(app, admin);
  const patch = (user: LoggedIn, body: object) => () => ok(admin.http.call('PATCH', `/users/${user.userId}`, body));
  const suspend = () => ok(platform.call('PATCH', `/tenants/${suspended.tenantId}`, { status: 'suspended' }));
  const { password } = careful;
  const change = { current_password: password, new_password: `${password}, but newer` };
  return [
    {
      name: 'logout',
      http: leaver.http,
      path: '/messages',
      revoke: () => ok(leaver.http.post('/auth/logout', {})),
      outcome: UNKNOWN,
    },
    {
      name: 'role change',
      http: demoted.http,
      path: '/users',
      revoke: patch(demoted, { role: 'AGENT' }),
      outcome: '403 FORBIDDEN',
    },
    {
      name: 'deactivation',
      http: inactive.http,
      path: '/messages',
      revoke: patch(inactive, { status: 'inactive' }),
      outcome: UNKNOWN,
    },
    {
      name: 'deletion',
      http: gone.http,
      path: '/messages',
      revoke: () => ok(admin.http.delete(`/users/${gone.userId}`)),
      outcome: UNKNOWN,
    },
    {
      name: 'password change',
      http: otherLogin,
      path: '/messages',
      revoke: () => ok(careful.http.post('/auth/password', change)),
      outcome: UNKNOWN,
    },
    { name: 'suspension, a user', http: suspended.http, path: '/messages', revoke: suspend, outcome: UNKNOWN },
    { name: 'suspension, a key', http: suspendedKey.http, path: '/messages', revoke: suspend, outcome: UNKNOWN },
    {
      name: 'key revocation',
      http: revokedKey.http,
      path: '/messages',
      revoke: () => ok(admin.http.delete(`/api-keys/${revokedKey.id}`)),
      outcome: UNKNOWN,
    },
  ];
}

async function again(app: TestApp, { email, password, tenantId }: LoggedIn): Promise<HttpClient> {
  const { body } = await app.anybody.post<{ access_token: string }>('/auth/login', {
    email,
    password,
    tenant: tenantId,
  });
  return app.anybody.with({ authorization: `Bearer ${body.access_token}` });
}

async function keyOf(app: TestApp, owner: LoggedIn): Promise<{ id: string; http: HttpClient }> {
  const { body } = await owner.http.post<{ id: string; key: string }>('/api-keys', {
    name: 'to be lost',
    role: 'MANAGER',
  });
  return { id: body.id, http: app.anybody.with({ 'x-api-key': body.key }) };
}
