import { createSecretKey } from 'node:crypto';
import { JwtService } from '@nestjs/jwt';
import { actorMay, type Actor } from '../../src/common/actor';
import { newId } from '../../src/common/ids';
import {
  type Permission,
  PERMISSIONS,
  SCOPES,
  TENANT_ROLES,
  TENANTLESS_PERMISSIONS,
} from '../../src/common/permissions';
import { handlersOf } from '../../src/platform/http/access-audit';
import { TEST_SECRETS } from '../support/app';
import type { HttpClient } from '../support/http-client';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { EXPECTED_ACCESS, type ExpectedAccess } from './access-matrix';

const ADMIN_API_KEY = 'the platform administrator of the tests';
const NOBODYS_ID = '01890000-0000-7000-8000-000000000001';
const PERSONAL: Permission[] = ['profile:own', 'login:end', 'password:change'];

/** Somebody who calls every route, and what each permission means to it. */
interface Caller {
  name: string;
  /** A client for one call: a login that a call ends is not the next one's. */
  client: () => HttpClient | Promise<HttpClient>;
  /** The outcome of a route that asks for this permission. */
  expects: (expected: ExpectedAccess & { permission: Permission }) => string;
}

let app: TestApp;
let callers: Caller[];

const REFUSED = '403 FORBIDDEN';
const UNKNOWN = '401 AUTHENTICATION_FAILED';
const holds = (role: string, permission: Permission) => (PERMISSIONS[permission] as readonly string[]).includes(role);

beforeAll(async () => {
  app = await startTestApp({ config: { ADMIN_API_KEY } });
  callers = [
    ...(await Promise.all(TENANT_ROLES.map(userOf))),
    ...(await Promise.all(TENANT_ROLES.map(keyOf))),
    ...(await Promise.all([scopedKey(['messages:read']), scopedKey([...SCOPES])])),
    ...platform(),
    ...(await strangers()),
  ];
});

afterAll(() => app.close());

async function userOf(role: (typeof TENANT_ROLES)[number]): Promise<Caller> {
  const { email, password, tenantId, http } = await app.login(role);
  const again = async () => {
    const { body } = await app.anybody.post<{ access_token: string }>('/auth/login', {
      email,
      password,
      tenant: tenantId,
    });
    return app.anybody.with({ authorization: `Bearer ${body.access_token}` });
  };
  let logins = 0;
  return {
    name: `user ${role}`,
    client: () => (logins++ === 0 ? http : again()),
    expects: ({ permission, allowed }) => (holds(role, permission) ? allowed : REFUSED),
  };
}

async function newKey(body: object, tenantId = app.tenantId): Promise<{ id: string; key: string }> {
  const admin = await app.login('TENANT_ADMIN', tenantId);
  const answer = await admin.http.post<{ id: string; key: string }>('/api-keys', { name: newId(), ...body });
  if (answer.status !== 201) throw new Error(`Making a key gave ${answer.outcome}`);
  return answer.body;
}

const withKey = (key: string): HttpClient => app.anybody.with({ 'x-api-key': key });

async function keyOf(role: (typeof TENANT_ROLES)[number]): Promise<Caller> {
  const { key } = await newKey({ role });
  return {
    name: `key ${role}`,
    client: () => withKey(key),
    expects: ({ permission, allowed }) =>
      holds(role, permission) && !PERSONAL.includes(permission) ? allowed : REFUSED,
  };
}

async function scopedKey(scopes: Permission[]): Promise<Caller> {
  const { key } = await newKey({ scopes });
  return {
    name: `key with ${scopes.length === 1 ? scopes[0] : 'every scope'}`,
    client: () => withKey(key),
    expects: ({ permission, allowed }) =>
      permission === 'profile:read' || scopes.includes(permission) ? allowed : REFUSED,
  };
}

function platform(): Caller[] {
  const may = (permission: Permission) => holds('PLATFORM_ADMIN', permission);
  return [
    {
      name: 'platform administrator in a tenant',
      client: () => withKey(ADMIN_API_KEY).with({ 'x-tenant-id': app.tenantId }),
      expects: ({ permission, allowed }) => (may(permission) ? allowed : REFUSED),
    },
    {
      name: 'platform administrator without a tenant',
      client: () => withKey(ADMIN_API_KEY),
      expects: ({ permission, allowed }) => {
        if (!may(permission)) return REFUSED;
        return TENANTLESS_PERMISSIONS.includes(permission) ? allowed : '400 VALIDATION_FAILED';
      },
    },
  ];
}

/** Whom no closed route lets in. */
async function strangers(): Promise<Caller[]> {
  const admin = await app.login('TENANT_ADMIN');
  const revoked = await newKey({ role: 'TENANT_ADMIN' });
  expect((await admin.http.delete(`/api-keys/${revoked.id}`)).status).toBe(204);
  const suspendedTenant = await app.make.tenant();
  const ofSuspended = await app.login('TENANT_ADMIN', suspendedTenant);
  const keyOfSuspended = await newKey({ role: 'TENANT_ADMIN' }, suspendedTenant);
  const platformAdmin = withKey(ADMIN_API_KEY);
  expect((await platformAdmin.call('PATCH', `/tenants/${suspendedTenant}`, { status: 'suspended' })).status).toBe(200);
  const stranger = (name: string, client: HttpClient, outcome = UNKNOWN): Caller => ({
    name,
    client: () => client,
    expects: () => outcome,
  });
  return [
    stranger('nobody', app.anybody),
    stranger('an expired token', app.anybody.with({ authorization: `Bearer ${expiredToken(admin)}` })),
    stranger('a revoked key', withKey(revoked.key)),
    stranger('a key that was made up', withKey(`${revoked.key.slice(0, -6)}AAAAAA`)),
    stranger('a user of a suspended tenant', ofSuspended.http),
    stranger('a key of a suspended tenant', withKey(keyOfSuspended.key)),
    stranger('a wrong platform key', withKey(`${ADMIN_API_KEY}.`)),
    stranger(
      'an administrator who names another tenant',
      admin.http.with({ 'x-tenant-id': suspendedTenant }),
      '404 TENANT_NOT_FOUND',
    ),
  ];
}

/** A genuine token of a living login, but that its time is over. */
function expiredToken({ http }: LoggedIn): string {
  const [head = '', claims = ''] = http.accessToken.split('.');
  const { kid } = JSON.parse(Buffer.from(head, 'base64url').toString()) as { kid: string };
  const said = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
  const secret = createSecretKey(Buffer.from(TEST_SECRETS.JWT_SECRET, 'utf8'));
  const expired = { ...said, iat: Number(said.iat) - 3600, exp: Number(said.iat) - 1800 };
  return new JwtService({ secret }).sign(expired, { algorithm: 'HS256', keyid: kid });
}

const addressOf = (route: string): [method: string, path: string] => {
  const [method = '', path = ''] = route.split(' ');
  return [method, path.replaceAll(/:\w+/g, NOBODYS_ID)];
};

async function outcomeOf(route: string, client: HttpClient): Promise<string> {
  const [method, path] = addressOf(route);
  const body = method === 'GET' || method === 'DELETE' ? undefined : {};
  return (await client.call(method, path, body)).outcome;
}

describe('the matrix of routes and callers', () => {
  it('has an entry for every route of the router, and none for any other', () => {
    expect(Object.keys(EXPECTED_ACCESS).sort()).toEqual(
      handlersOf(app.app)
        .map(({ route }) => route)
        .sort(),
    );
  });

  it('names the permission that each route asks for', () => {
    for (const { route, rule } of handlersOf(app.app)) {
      const asked = rule?.access.kind === 'permission' ? rule.access.permission : 'public';
      expect([route, EXPECTED_ACCESS[route]?.permission]).toEqual([route, asked]);
    }
  });

  it.each(Object.entries(EXPECTED_ACCESS))('holds on %s', async (route, expected) => {
    const { permission, allowed } = expected;
    const seen: Record<string, string> = {};
    const wanted: Record<string, string> = {};
    for (const { name, client, expects } of callers) {
      seen[name] = await outcomeOf(route, await client());
      wanted[name] = permission === 'public' ? allowed : expects({ permission, allowed });
    }
    expect(seen).toEqual(wanted);
  });
});

describe('the role table', () => {
  it('is what the actors of the code go by', () => {
    const actor: Omit<Actor, 'kind' | 'role'> = {
      ...{ id: newId(), tenantId: newId(), scopes: null, requestsPerMinute: null, loginId: newId() },
    };
    for (const role of TENANT_ROLES)
      for (const permission of Object.keys(PERMISSIONS) as Permission[]) {
        expect(actorMay({ ...actor, kind: 'user', role }, permission)).toBe(holds(role, permission));
        expect(actorMay({ ...actor, kind: 'key', role }, permission)).toBe(
          holds(role, permission) && !PERSONAL.includes(permission),
        );
      }
  });
});
