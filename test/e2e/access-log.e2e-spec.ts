import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createProbeApp, PROBE_TENANT } from '../support/probe-app';

describe('the access log', () => {
  let app: NestFastifyApplication;
  let text: string;

  beforeAll(async () => {
    const log = (line: string) => void (text += line);
    app = await createProbeApp({ variables: { LOG_LEVEL: 'info' }, log });
  });

  beforeEach(() => {
    text = '';
  });

  afterAll(() => app.close());

  const lines = () =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  it('has one line per answer, with whose it was and the route template', async () => {
    await app.inject({
      url: '/api/probe/actor',
      headers: { authorization: 'Bearer AGENT', 'x-request-id': 'trace-12345678' },
    });
    expect(lines()).toEqual([
      {
        time: expect.any(String),
        level: 'info',
        role: 'all',
        msg: 'request',
        request_id: 'trace-12345678',
        tenant_id: PROBE_TENANT.id,
        user_id: expect.any(String),
        method: 'GET',
        route: '/probe/actor',
        status: 200,
        ms: expect.any(Number),
        ip: '127.0.0.1',
      },
    ]);
  });

  it.each([
    ['/nothing?token=hush', 404, 'unmatched'],
    ['/probe/items/%E0%A4%A', 400, 'unmatched'],
    ['/probe/items/hush', 400, '/probe/items/:id'],
  ])('tells of %s without repeating it', async (url, status, route) => {
    await app.inject({ url, headers: { authorization: 'Bearer hush', cookie: 'hush' } });
    expect(lines()).toEqual([expect.objectContaining({ msg: 'request', status, route })]);
    expect(text).not.toContain('hush');
  });

  it('never has a body in it', async () => {
    await app.inject({ method: 'POST', url: '/probe/items', payload: { name: 'hush', extra: 'hush' } });
    expect(lines()).toHaveLength(1);
    expect(text).not.toContain('hush');
  });

  it('has the cause of a failure beside it, under the same request id', async () => {
    const answer = await app.inject({ url: '/probe/boom' });
    const [failure, request] = lines();
    expect(failure).toMatchObject({
      level: 'error',
      code: 'INTERNAL_ERROR',
      route: '/probe/boom',
      err: { message: 'secret detail at /etc/passwd' },
    });
    expect([failure?.request_id, request?.request_id]).toEqual(
      Array(2).fill(answer.json<{ requestId: string }>().requestId),
    );
  });
});

describe('CORS', () => {
  const preflight = (app: NestFastifyApplication, origin: string) =>
    app.inject({
      method: 'OPTIONS',
      url: '/api/probe/items',
      headers: { origin, 'access-control-request-method': 'POST' },
    });

  it('lets the configured origins in and no others', async () => {
    const app = await createProbeApp({ variables: { CORS_ORIGINS: 'https://shop.example' } });
    const [mine, other] = [await preflight(app, 'https://shop.example'), await preflight(app, 'https://evil.example')];
    expect([mine.statusCode, mine.headers['access-control-allow-origin']]).toEqual([204, 'https://shop.example']);
    expect(other.headers['access-control-allow-origin']).toBeUndefined();
    const answer = await app.inject({ url: '/probe/open', headers: { origin: 'https://shop.example' } });
    expect(answer.headers['access-control-expose-headers']).toContain('X-Total-Count');
    const unknown = await app.inject({ url: '/nothing', headers: { origin: 'https://shop.example' } });
    expect([unknown.statusCode, unknown.headers['access-control-allow-origin']]).toEqual([404, 'https://shop.example']);
    await app.close();
  });

  it('is off by default: OPTIONS is a method like any other', async () => {
    const app = await createProbeApp();
    const answer = await preflight(app, 'https://shop.example');
    expect([answer.statusCode, answer.headers['access-control-allow-origin']]).toEqual([405, undefined]);
    await app.close();
  });
});
