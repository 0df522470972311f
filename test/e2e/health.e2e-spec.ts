import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { newId } from '../../src/common/ids';
import { HealthModule } from '../../src/modules/health/health.module';
import { Cache } from '../../src/platform/cache/cache';
import { HealthRegistry } from '../../src/platform/health/health-registry';
import { Readiness } from '../../src/platform/http/readiness';
import { startOwnPostgres, type OwnPostgres, workerDatabase } from '../support/database';
import { createPlatformApp } from '../support/platform-app';
import { startRedis, type TestRedis } from '../support/redis';
import { eventually } from '../support/wait';

const TOKEN = 'a-token-for-the-scraper';
const CALLER = { authorization: `Bearer ${newId()} ${newId()} AUDITOR` };

const get = (app: NestFastifyApplication, url: string, headers: Record<string, string> = {}) =>
  app.inject({ method: 'GET', url, headers });

/** A machine that is busy may keep Redis from answering in time, which counts it down for a moment. */
const redisIsUp = (app: NestFastifyApplication) =>
  eventually(
    async () => {
      const { checks } = (await get(app, '/health/details', CALLER)).json<{ checks: { redis: { status: string } } }>();
      return checks.redis.status === 'up';
    },
    { what: 'Redis up', timeoutMs: 15_000 },
  );

describe('health and metrics', () => {
  let app: NestFastifyApplication;
  let redis: TestRedis;

  beforeAll(async () => {
    redis = await startRedis();
    const { ownerUrl } = await workerDatabase();
    app = await createPlatformApp({
      ownerUrl,
      rolePrefix: 'switchboard_health_test',
      imports: [HealthModule],
      variables: { REDIS_URL: redis.url, METRICS_TOKEN: TOKEN, RATE_LIMIT_PER_MINUTE: '1' },
    });
  });

  afterAll(async () => {
    await app.close();
    await redis.stop();
  });

  describe('GET /health', () => {
    it('says healthy, since when and which version', async () => {
      const answer = await get(app, '/health');
      expect(answer.statusCode).toBe(200);
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(answer.json()).toEqual({
        status: 'healthy',
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        version: expect.stringMatching(/^\d+\.\d+\.\d+/),
        uptime_s: expect.any(Number),
      });
    });

    it('is degraded, and 200, while Redis is frozen, and healthy again after', async () => {
      redis.pause();
      await eventually(async () => (await get(app, '/health')).json().status === 'degraded');
      const begun = performance.now();
      expect((await get(app, '/health')).statusCode).toBe(200);
      expect(performance.now() - begun).toBeLessThan(1_000);
      redis.resume();
      await eventually(async () => (await get(app, '/health')).json().status === 'healthy');
    });

    it('bounds a check that hangs to a second, and asks it once however many call', async () => {
      let asked = 0;
      app.get(HealthRegistry).register({
        name: 'hanging',
        kind: 'degrading',
        check: () => new Promise(() => void (asked += 1)),
      });
      const begun = performance.now();
      const answers = await Promise.all(Array.from({ length: 50 }, () => get(app, '/health')));
      expect(performance.now() - begun).toBeLessThan(2_500);
      expect(answers.map((answer) => answer.json<{ status: string }>().status)).toEqual(Array(50).fill('degraded'));
      expect(asked).toBe(1);
    });

    it('does not degrade the whole for what only informs', async () => {
      app.get(HealthRegistry).register({
        name: 'informing',
        kind: 'info',
        check: () => Promise.reject(new Error('secret host 10.1.2.3')),
      });
      const { checks } = (await get(app, '/health/details', CALLER)).json();
      expect(checks.informing).toEqual({ status: 'down', kind: 'info' });
    });

    it('refuses two checks of one name', () => {
      const check = { name: 'redis', kind: 'info' as const, check: () => Promise.resolve({}) };
      expect(() => app.get(HealthRegistry).register(check)).toThrow('twice');
    });
  });

  describe('GET /health/db and /ready', () => {
    it('answer for the database, and for this process', async () => {
      expect((await get(app, '/health/db')).json()).toEqual({
        status: 'healthy',
        migrated: true,
        latency_ms: expect.any(Number),
      });
      const before = await get(app, '/ready');
      expect([before.statusCode, before.json().code]).toEqual([503, 'SERVICE_UNAVAILABLE']);
      app.get(Readiness).ready();
      expect((await get(app, '/ready')).json()).toEqual({ status: 'ready' });
    });
  });

  describe('GET /health/details', () => {
    it('shows pools, Redis, cache, memory and event loop to a caller', async () => {
      await redisIsUp(app);
      await app.get(Cache).wrap('health', 1_000, () => Promise.resolve(1));
      const answer = await get(app, '/health/details', CALLER);
      expect(answer.statusCode).toBe(200);
      expect(answer.json()).toMatchObject({
        version: expect.any(String),
        checks: {
          database: { status: 'up', kind: 'critical', pools: { app: { max: 10, waiting: 0 } } },
          redis: { status: 'up', in_use: true, latency_ms: expect.any(Number) },
          cache: { status: 'up', misses: expect.any(Number), memory_entries: 0 },
        },
        memory: { rss_bytes: expect.any(Number) },
        event_loop: { delay_p99_ms: expect.any(Number) },
      });
    });

    it('is for callers only', async () => {
      const answer = await get(app, '/health/details');
      expect([answer.statusCode, answer.json().code]).toEqual([401, 'AUTHENTICATION_FAILED']);
    });
  });

  describe('GET /metrics', () => {
    const scrape = (headers: Record<string, string> = {}) =>
      get(app, '/metrics', { authorization: `Bearer ${TOKEN}`, ...headers });

    it.each([{}, { authorization: 'Bearer wrong' }, { authorization: TOKEN }])(
      'refuses a scraper with %j',
      async (headers) => {
        const answer = await get(app, '/metrics', headers as Record<string, string>);
        expect([answer.statusCode, answer.json().code]).toEqual([401, 'AUTHENTICATION_FAILED']);
      },
    );

    it('gives Prometheus text, with requests by route template and nothing that a client chose', async () => {
      await redisIsUp(app);
      await get(app, '/nowhere/at/all?x=secret-1');
      await get(app, '/api/health/db');
      const { headers, body } = await scrape();
      expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
      expect(body).toMatch(/http_request_duration_seconds_count\{method="GET",route="\/health\/db",status="200"\} \d+/);
      expect(body).toMatch(/http_request_duration_seconds_count\{method="GET",route="unmatched",status="404"\} \d+/);
      expect(body).toMatch(/switchboard_redis_up 1\n/);
      expect(body).toMatch(/switchboard_cache_requests_total\{outcome="miss"\} [1-9]/);
      expect(body).toContain('process_resident_memory_bytes');
      for (const pool of ['app', 'batch', 'system'])
        for (const what of ['connections', 'limit', 'waiting'])
          expect(body).toMatch(new RegExp(`switchboard_database_pool_${what}\\{pool="${pool}"[^}]*\\} \\d+\n`));
      expect(body).toMatch(/pool_connections\{pool="system",state="idle"\} [1-9]/);
      expect(body).not.toMatch(/nowhere|secret-1|nodejs_active_\w+_total/);
    });

    it('gives OpenMetrics when asked, and Prometheus text as before after it', async () => {
      const first = await scrape();
      const open = await scrape({ accept: 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3' });
      expect(open.headers['content-type']).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
      expect(open.body).toContain('# TYPE switchboard_cache_requests counter\n');
      expect(open.body).toMatch(/switchboard_cache_requests_total\{outcome="miss"\}/);
      expect(open.body).toMatch(/\n# EOF\n$/);
      expect(open.body).not.toMatch(/\n\n/);
      const names = (text: string) => text.split('\n').filter((line) => line.startsWith('# TYPE'));
      expect(names((await scrape()).body)).toEqual(names(first.body));
      expect((await scrape({ accept: 'text/plain' })).headers['content-type']).toContain('text/plain');
    });
  });

  it('is never limited by rate', async () => {
    for (const url of ['/health', '/health/db', '/ready', '/metrics'])
      for (let i = 0; i < 5; i++) expect((await get(app, url)).statusCode).not.toBe(429);
  });
});

describe('without PostgreSQL', () => {
  let server: OwnPostgres;
  let app: NestFastifyApplication;

  beforeAll(async () => {
    server = await startOwnPostgres();
    app = await createPlatformApp({
      ownerUrl: server.url,
      rolePrefix: 'switchboard',
      imports: [HealthModule],
    });
    app.get(Readiness).ready();
  });

  afterAll(async () => {
    await app.close();
    await server.stop();
  });

  it('is unhealthy and not ready while it is away, and well again after', async () => {
    const statuses = async () =>
      Promise.all(['/health', '/health/db', '/ready'].map(async (url) => (await get(app, url)).statusCode));
    expect(await statuses()).toEqual([200, 200, 200]);
    await server.stop('immediate');
    await eventually(async () => (await statuses()).every((status) => status === 503));
    const [health, database] = [await get(app, '/health'), await get(app, '/health/db')];
    expect(health.json()).toMatchObject({
      status: 'unhealthy',
      code: 'SERVICE_UNAVAILABLE',
      requestId: health.headers['x-request-id'],
    });
    expect(database.json()).toMatchObject({ code: 'DATABASE_ERROR', requestId: database.headers['x-request-id'] });
    expect(health.body + database.body).not.toMatch(/127\.0\.0\.1|ECONN/);
    await server.restart();
    await eventually(async () => (await statuses()).every((status) => status === 200));
  });

  it('says that Redis is not in use when there is none', async () => {
    const { checks } = (await get(app, '/health/details', CALLER)).json();
    expect(checks.redis).toMatchObject({ status: 'up', in_use: false });
  });
});
