import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { GatewayPort } from '../../src/modules/gateway/gateway-port.service';
import type { ErrorBody } from '../../src/platform/http/error-body';
import { Readiness } from '../../src/platform/http/readiness';
import { shutDown } from '../../src/platform/http/shutdown';
import { makeKey, type TestKey } from '../support/api-keys';
import { createTestApp } from '../support/app';
import type { HttpClient } from '../support/http-client';
import { startRedis, type TestRedis } from '../support/redis';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { type Asked, Upstream } from '../support/upstream';
import { eventually } from '../support/wait';
import { exchangeBytes } from './gateway-front.harness';

const ADMIN_API_KEY = 'the platform administrator of the tests';
const GATEWAY = { ADMIN_API_KEY, GATEWAY_ALLOWED_CIDRS: '127.0.0.0/8' };
/** Far below the 5 s after which each process would ask again by itself. */
const TOLD_MS = 2_000;

describe.each(['with Redis shared', 'without Redis'] as const)('the gateway, %s,', (mode) => {
  let redis: TestRedis | undefined;
  let app: TestApp;
  /** A process of ROLE=gateway. */
  let second: NestFastifyApplication;
  let ownPort: string;
  let elsewhere: string;
  let upstream: Upstream;
  let other: Upstream;
  let admin: LoggedIn;
  let key: TestKey;

  beforeAll(async () => {
    redis = mode === 'without Redis' ? undefined : await startRedis();
    const config = { ...GATEWAY, ...(redis ? { REDIS_URL: redis.url } : {}) };
    [upstream, other] = [await Upstream.start('one'), await Upstream.start('two')];
    app = await startTestApp({ config });
    ownPort = await app.app.get(GatewayPort).listen(0, '127.0.0.1');
    second = await createTestApp({ DATABASE_URL: app.db.ownerUrl, ...config, ROLE: 'gateway' });
    elsewhere = await second.get(GatewayPort).listen(0, '127.0.0.1');
    second.get(Readiness).ready();
    admin = await app.login('TENANT_ADMIN');
    key = await makeKey(app, admin.http, { role: 'AGENT' });
    await addRoute(admin.http, { path: '/shop' });
  });

  afterAll(async () => {
    await shutDown(second, 20_000);
    await app.close();
    await Promise.all([upstream.close(), other.close(), redis?.stop()]);
  });

  const addRoute = async (http: HttpClient, fields: object): Promise<{ id: string; warnings: string[] }> => {
    const body = { path_type: 'prefix', upstreams: [{ url: upstream.url }], ...fields };
    const answer = await http.post<{ id: string; warnings: string[] }>('/gateway/routes', body);
    if (answer.status !== 201) throw new Error(`Adding a route gave ${answer.text}`);
    return answer.body;
  };

  it('answers on the port of the API, on its own, and in a process of its own', async () => {
    for (const base of [app.url, ownPort, elsewhere]) {
      const answer = await key.http.at(base).post('/shop/basket?with=query', 'a body of bytes');
      expect([answer.status, answer.text, answer.headers.get('x-upstream')]).toEqual([200, 'one', 'one']);
      const { url, body, headers } = upstream.asked.at(-1) as Asked;
      expect([url, body, headers['x-api-key']]).toEqual(['/shop/basket?with=query', 'a body of bytes', undefined]);
      expect(headers['x-tenant-id']).toBe(admin.tenantId);
      expect(headers['x-request-id']).toBe(answer.headers.get('x-request-id'));
    }
  });

  it("leaves the API what is the API's on its port, and takes all but health and metrics on its own", async () => {
    const { warnings } = await addRoute(admin.http, { path: '/messages' });
    expect(warnings).toHaveLength(1);
    const seen = upstream.asked.length;
    expect((await key.http.get<unknown[]>('/messages')).body).toEqual([]);
    expect((await key.http.get<unknown[]>('/api/messages')).body).toEqual([]);
    expect(upstream.asked).toHaveLength(seen);
    for (const base of [ownPort, elsewhere]) {
      await noticed(async () => (await key.http.at(base).get('/messages')).text === 'one');
      expect((await key.http.at(base).get('/auth/profile')).outcome).toBe('404 ROUTE_NOT_FOUND');
      for (const path of ['/health', '/ready', '/metrics'])
        expect([path, (await app.anybody.at(base).get(path)).status]).toEqual([path, 200]);
    }
    // Without a key an unknown address stays one of the API's.
    expect((await app.anybody.get('/shop')).outcome).toBe('404 NOT_FOUND');
  });

  it('answers health, readiness and metrics itself on its own port, and nothing below or beside them', async () => {
    const warnings = (await addRoute(admin.http, { path: '/health' })).warnings;
    expect(warnings).toEqual([expect.stringContaining('on the gateway')]);
    for (const path of ['/ready/', '/metrics']) await addRoute(admin.http, { path });
    const below = ['/health/db', '/health/details', '/health/foo', '/health/', '/ready/now', '/metrics/x', '/metrics/'];
    for (const base of [ownPort, elsewhere]) {
      await noticed(async () => (await key.http.at(base).get('/metrics/x')).text === 'one');
      for (const path of below) {
        expect([path, (await key.http.at(base).get(path)).text]).toEqual([path, 'one']);
        expect([path, (await app.anybody.at(base).get(path)).outcome]).toEqual([path, '401 AUTHENTICATION_FAILED']);
      }
      const seen = upstream.asked.length;
      for (const path of ['/health', '/ready', '/metrics'])
        expect([path, (await key.http.at(base).get(path)).status]).toEqual([path, 200]);
      expect((await key.http.at(base).get('/health?x=1')).outcome).toBe('400 VALIDATION_FAILED'); // it takes no query
      const socket = `GET /health HTTP/1.1\r\nHost: h\r\nX-API-Key: ${key.key}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
      expect(await exchangeBytes(Number(new URL(base).port), socket, '"status"')).toMatch(/^HTTP\/1.1 200 OK/);
      expect(upstream.asked).toHaveLength(seen);
    }
    // On the API's port it has more of its own.
    expect((await key.http.get('/health/db')).body).toMatchObject({ status: 'healthy' });
    expect((await key.http.get('/health/foo')).text).toBe('one');
  });

  it('refuses who shows no key or a wrong one, and what no route takes, in the one shape', async () => {
    const wrong = { 'x-api-key': `${key.key.slice(0, -4)}AAAA` };
    for (const base of [ownPort, elsewhere]) {
      expect((await app.anybody.at(base).get('/shop')).outcome).toBe('401 AUTHENTICATION_FAILED');
      const answer = await app.anybody.at(base).with(wrong).get<ErrorBody>('/shop');
      expect(answer.outcome).toBe('401 AUTHENTICATION_FAILED');
      expect(answer.body.requestId).toBe(answer.headers.get('x-request-id'));
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    }
    expect((await app.anybody.with(wrong).get('/shop')).outcome).toBe('401 AUTHENTICATION_FAILED');
    expect((await key.http.get('/nowhere')).outcome).toBe('404 ROUTE_NOT_FOUND');
    const stranger = await app.login('TENANT_ADMIN', await app.make.tenant());
    const theirs = await makeKey(app, stranger.http);
    expect((await theirs.http.get('/shop')).outcome).toBe('404 ROUTE_NOT_FOUND');
  });

  it('changes with its routes: on the next request here, and soon elsewhere', async () => {
    const { id } = await addRoute(admin.http, { path: '/moving' });
    for (const base of [app.url, ownPort]) expect((await key.http.at(base).get('/moving')).text).toBe('one');
    await eventually(async () => (await key.http.at(elsewhere).get('/moving')).text === 'one');
    await admin.http.call('PATCH', `/gateway/routes/${id}`, { upstreams: [{ url: other.url }] });
    for (const base of [app.url, ownPort]) expect((await key.http.at(base).get('/moving')).text).toBe('two');
    await noticed(async () => (await key.http.at(elsewhere).get('/moving')).text === 'two');
    await admin.http.delete(`/gateway/routes/${id}`);
    expect((await key.http.get('/moving')).outcome).toBe('404 ROUTE_NOT_FOUND');
    await noticed(async () => (await key.http.at(elsewhere).get('/moving')).status === 404);
  });

  it('lets a revoked key and a suspended tenant in no more: on the next request here, and soon elsewhere', async () => {
    const revoked = await makeKey(app, admin.http);
    const there = revoked.http.at(elsewhere);
    expect([(await revoked.http.get('/shop')).status, (await there.get('/shop')).status]).toEqual([200, 200]);
    expect((await admin.http.delete(`/api-keys/${revoked.id}`)).status).toBe(204);
    expect((await revoked.http.get('/shop')).outcome).toBe('401 AUTHENTICATION_FAILED');
    await noticed(async () => (await there.get('/shop')).status === 401);

    const someone = await app.login('TENANT_ADMIN', await app.make.tenant());
    await addRoute(someone.http, { path: '/shop' });
    const theirs = await makeKey(app, someone.http);
    expect((await theirs.http.at(elsewhere).get('/shop')).status).toBe(200);
    const platform = app.anybody.with({ 'x-api-key': ADMIN_API_KEY });
    await platform.call('PATCH', `/tenants/${someone.tenantId}`, { status: 'suspended' });
    expect((await theirs.http.get('/shop')).outcome).toBe('403 TENANT_SUSPENDED');
    expect((await theirs.http.get('/messages')).outcome).toBe('401 AUTHENTICATION_FAILED');
    await noticed(async () => (await theirs.http.at(elsewhere).get('/shop')).outcome === '403 TENANT_SUSPENDED');
    await platform.call('PATCH', `/tenants/${someone.tenantId}`, { status: 'active' });
    expect((await theirs.http.get('/shop')).status).toBe(200);
    await noticed(async () => (await theirs.http.at(elsewhere).get('/shop')).status === 200);
  });

  it('holds the limits of a key and of a route, over both processes where they share a Redis', async () => {
    const slow = await makeKey(app, admin.http, { requests_per_minute: 4 });
    await addRoute(admin.http, { path: '/few', rate_limit_per_minute: 6 });
    await noticed(async () => (await key.http.at(elsewhere).get('/few/0')).status === 200);
    const outcomes: string[] = [];
    for (let n = 0; n < 12; n += 1) {
      const base = n % 2 === 0 || !redis ? ownPort : elsewhere;
      const answer = await slow.http.at(base).get(`/shop/${n}`);
      outcomes.push(answer.outcome);
      if (answer.status !== 429) continue;
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(answer.headers.get('ratelimit-limit')).toBe('4');
    }
    expect(outcomes.filter((outcome) => outcome === '200')).toHaveLength(4);
    expect(outcomes.at(-1)).toBe('429 RATE_LIMITED');
    const few: number[] = [];
    for (let n = 0; n < 8; n += 1) few.push((await key.http.at(ownPort).get(`/few/${n}`)).status);
    // One has come over the other process: the same count where they share it.
    expect(few.filter((status) => status === 200)).toHaveLength(redis ? 5 : 6);
    expect(few.at(-1)).toBe(429);
  });

  it('shows how its upstreams stand, and counts what it does', async () => {
    await key.http.at(elsewhere).get('/shop');
    const standing = await eventually(async () => {
      const { body } = await admin.http.get<{ url: string; state: string }[]>('/gateway/upstreams/health');
      return body.find(({ url, state }) => url === upstream.url && state === 'healthy');
    });
    expect(standing).toBeDefined();
    const { text } = await app.anybody.at(elsewhere).get('/metrics');
    expect(text).toMatch(/^switchboard_gateway_requests_total\{tenant="all",route="all",status="200"\} [1-9]/m);
    expect(text).toMatch(
      /^switchboard_gateway_request_duration_seconds_bucket\{le="\+Inf",tenant="all",route="all"\} [1-9]/m,
    );
    expect(text).toMatch(
      /^switchboard_gateway_cache_requests_total\{tenant="all",route="all",cache="keys",outcome="hit"\} [1-9]/m,
    );
    expect(text).toMatch(
      /^switchboard_gateway_cache_requests_total\{tenant="all",route="all",cache="routes",outcome="miss"\} [1-9]/m,
    );
    expect(text).toMatch(/^switchboard_gateway_upstream_duration_seconds_count\{tenant="all",route="all"\} [1-9]/m);
  });

  it("records whom it turned away of a suspended tenant in that tenant's trail, whatever strangers do", async () => {
    for (let n = 0; n < 110; n += 1) await app.anybody.at(ownPort).get(`/shop/${n}`);
    const someone = await app.login('TENANT_ADMIN', await app.make.tenant());
    const theirs = await makeKey(app, someone.http);
    const platform = app.anybody.with({ 'x-api-key': ADMIN_API_KEY });
    await platform.call('PATCH', `/tenants/${someone.tenantId}`, { status: 'suspended' });
    const refused = await theirs.http.at(ownPort).get('/shop');
    expect(refused.outcome).toBe('403 TENANT_SUSPENDED');
    const recorded = `select actor_kind, actor_id, metadata from audit_logs
      where tenant_id = $1 and action = 'ACCESS_DENIED' and resource = 'GET gateway' and request_id = $2`;
    const rows = await eventually(async () => {
      const found = await app.owner.query(recorded, [someone.tenantId, refused.headers.get('x-request-id')]);
      return found.rows.length > 0 && found.rows;
    });
    expect(rows).toEqual([
      { actor_kind: 'key', actor_id: theirs.id, metadata: { status: 403, code: 'TENANT_SUSPENDED' } },
    ]);
  });

  it('records whom it turned away', async () => {
    await app.anybody.at(ownPort).get('/shop', { headers: { 'x-api-key': 'made up' } });
    await eventually(async () => {
      const { rows } = await app.owner.query(
        `select from audit_logs where resource = 'GET gateway' and action = 'ACCESS_DENIED'`,
      );
      return rows.length > 0;
    });
  });

  async function noticed(check: () => Promise<boolean>): Promise<void> {
    await eventually(check, { timeoutMs: redis ? TOLD_MS : 5_500, what: 'the change to be noticed elsewhere' });
  }
});
