import { handlersOf } from '../../src/platform/http/access-audit';
import { AuditLog } from '../../src/platform/audit/audit-log';
import { makeKey, tokenOf } from '../support/api-keys';
import type { HttpClient } from '../support/http-client';
import { makeTemplate } from '../support/templates';
import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';

const ADMIN_API_KEY = 'marked-platform-key-of-the-tests-0123456789';
/** In everything that must not be found again. */
const MARK = 'XmarkedX';
const PASSWORD = `${MARK} password of somebody`;
const TEXT = `${MARK} text of a message`;

let app: TestApp;
let admin: LoggedIn;
/** What was given away once: tokens and keys. */
const issued: string[] = [];

beforeAll(async () => {
  app = await startTestApp({ config: { ADMIN_API_KEY, AUTH_DEV_TOKENS: 'true' } });
  admin = await app.login('TENANT_ADMIN');
  issued.push(admin.password, admin.http.accessToken, ADMIN_API_KEY);
});

afterAll(() => app.close());

/** Every value of an answer that reads like a credential, at whatever depth. */
function secretsIn(body: unknown): string[] {
  if (typeof body !== 'object' || body === null) return [];
  return Object.entries(body).flatMap(([name, value]) =>
    typeof value === 'string' && /^(key|token|access_token|refresh_token)$/.test(name) ? [value] : secretsIn(value),
  );
}

async function remember(call: Promise<{ body: unknown; status: number }>): Promise<string[]> {
  const { body } = await call;
  const secrets = secretsIn(body);
  issued.push(...secrets);
  return secrets;
}

/** Each field that some route takes and that may hold a secret or what people write to each other. */
const MARKED_BODY = {
  ...{ email: 'marked@secrets.example', password: PASSWORD, current_password: PASSWORD, new_password: `${PASSWORD} 2` },
  ...{ refresh_token: `rt_${MARK}`, token: `${MARK}.token.made-up`, client_secret: `sbk_${MARK}`, client_id: MARK },
  ...{ text: TEXT, to: '+5511888880000', name: 'plain name', metadata: { note: TEXT }, variables: { x: TEXT } },
};

const addressOf = (route: string): [method: string, path: string] => {
  const [method = '', path = ''] = route.split(' ');
  return [method, path.replaceAll(/:\w+/g, '01890000-0000-7000-8000-000000000001')];
};

/** All routes with the marked body, by callers of whom some are refused and some are not. */
async function callEverything(): Promise<number> {
  const callers: HttpClient[] = [
    app.anybody,
    admin.http,
    app.anybody.with({ authorization: `Bearer ${MARK}.header.token` }),
    app.anybody.with({ 'x-api-key': `sbk_${MARK}` }),
  ];
  const routes = handlersOf(app.app).map(({ route }) => route);
  for (const route of routes.filter((each) => each !== 'POST /auth/logout')) {
    const [method, path] = addressOf(route);
    const query = method === 'GET' ? `?token=${MARK}` : '';
    for (const http of callers) await http.call(method, path + query, method === 'GET' ? undefined : MARKED_BODY);
    // One field alone, where a route takes no more: it gets further than the whole.
    if (method !== 'GET')
      for (const [field, value] of Object.entries(MARKED_BODY)) await admin.http.call(method, path, { [field]: value });
  }
  return routes.length;
}

/** What really goes through: whatever is given out is remembered. */
async function doEverything(): Promise<void> {
  const { anybody } = app;
  const user = { email: 'somebody@secrets.example', password: PASSWORD };
  await remember(anybody.post('/users/register', { ...user, tenant_name: 'Marked' }));
  const [, refresh = ''] = await remember(anybody.post('/auth/login', user));
  await remember(anybody.post('/auth/login', { ...user, password: `${PASSWORD}, wrong` }));
  await remember(anybody.post('/auth/refresh', { refresh_token: refresh }));
  const [access = ''] = await remember(anybody.post('/users/login', user));
  const somebody = anybody.with({ authorization: `Bearer ${access}` });
  const change = { current_password: PASSWORD, new_password: `${PASSWORD}, newer` };
  expect((await somebody.post('/auth/password', change)).status).toBe(204);
  await remember(anybody.post('/auth/token', { userId: 'x', email: 'dev@secrets.example' }));
  await remember(admin.http.post('/users', { ...user, email: 'new@secrets.example', name: 'New', role: 'AGENT' }));
  const key = await makeKey(app, admin.http);
  issued.push(key.key, await tokenOf(app, key));
  await remember(admin.http.post(`/api-keys/${key.id}/rotate`, {}));
  const founder = {
    name: 'Marked',
    slug: 'by-the-platform',
    admin: { email: 'boss@secrets.example', password: PASSWORD },
  };
  const platform = anybody.with({ 'x-api-key': ADMIN_API_KEY });
  expect((await platform.post('/tenants', founder)).status).toBe(201);
  const session = await app.make.session(app.tenantId);
  issued.push(session.secret);
  const sent = await admin.http.post('/messages/send', { to: '+5511888880000', text: TEXT, session_id: session.id });
  expect(sent.status).toBe(202);
  const template = await makeTemplate(admin.http, `${TEXT} {{x}}`);
  const filled = { to: '+5511888880000', template_id: template.id, variables: { x: TEXT }, session_id: session.id };
  expect((await admin.http.post('/messages/send', filled)).status).toBe(202);
  expect((await admin.http.call('PATCH', `/templates/${template.id}`, { text: `${TEXT} {{y}}` })).status).toBe(200);
  expect((await admin.http.delete(`/templates/${template.id}`)).status).toBe(204);
  expect((await admin.http.post('/waha/sessions', { name: 'Real one' })).status).toBe(201);
}

describe('the audit trail', () => {
  it('holds no secret, no token and no text of a message, whatever route they went through', async () => {
    expect(await callEverything()).toBeGreaterThan(40);
    await doEverything();
    await app.app.get(AuditLog).flush();
    const { rows } = await app.owner.query<{ action: string; text: string }>(
      `select action, row_to_json(l)::text as text from audit_logs l`,
    );
    const actions = new Set(rows.map(({ action }) => action));
    for (const action of [
      'LOGIN',
      'LOGIN_FAILED',
      'PASSWORD_CHANGED',
      'USER_CREATED',
      'API_KEY_CREATED',
      'API_KEY_ROTATED',
    ])
      expect([action, actions.has(action)]).toEqual([action, true]);
    for (const action of [
      'TEMPLATE_CREATED',
      'TEMPLATE_UPDATED',
      'TEMPLATE_DELETED',
      'TOKEN_ISSUED',
      'TENANT_CREATED',
      'SESSION_CREATED',
      'ACCESS_DENIED',
    ])
      expect([action, actions.has(action)]).toEqual([action, true]);
    expect(issued.length).toBeGreaterThan(15);
    const secrets = [MARK, ...issued];
    const found = rows.filter(({ text }) => secrets.some((secret) => text.includes(secret)));
    expect(found.map(({ action, text }) => `${action}: ${text}`)).toEqual([]);
  });
});
