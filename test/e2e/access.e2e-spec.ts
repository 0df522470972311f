import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createProbeApp, PROBE_TENANT } from '../support/probe-app';

const bearer = (role: string, headers: Record<string, string> = {}) => ({
  authorization: `Bearer ${role}`,
  ...headers,
});

describe('who may call a route', () => {
  let app: NestFastifyApplication;

  beforeAll(async () => {
    app = await createProbeApp({ variables: { RATE_LIMIT_PER_MINUTE: '1000' } });
  });

  afterAll(() => app.close());

  const call = (method: 'GET' | 'POST', url: string, headers: Record<string, string> = {}) =>
    app.inject({ method, url, headers });

  it('answers under both addresses', async () => {
    const answers = await Promise.all(
      ['/probe/open', '/api/probe/open', '/api/probe/list?limit=1'].map((u) => call('GET', u)),
    );
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200]);
  });

  it('refuses a missing and a wrong credential alike with 401', async () => {
    const answers = await Promise.all([
      call('GET', '/probe/actor'),
      call('GET', '/probe/actor', { authorization: 'Bearer nonsense' }),
      call('GET', '/probe/actor', { authorization: 'Basic eDp5' }),
    ]);
    expect(answers.map((answer) => [answer.statusCode, answer.json<{ code: string }>().code])).toEqual(
      Array<unknown>(3).fill([401, 'AUTHENTICATION_FAILED']),
    );
    expect(answers.map(({ headers }) => headers['www-authenticate'])).toEqual(['Bearer', 'Bearer', 'Bearer']);
  });

  it('refuses a role without the permission with 403', async () => {
    const answer = await call('POST', '/probe/send', bearer('AUDITOR'));
    expect([answer.statusCode, answer.json().code]).toEqual([403, 'FORBIDDEN']);
  });

  it('lets the role with the permission through, and knows it everywhere in the request', async () => {
    const answer = await call('GET', '/probe/actor', bearer('AGENT'));
    expect(answer.json()).toEqual({ tenantId: PROBE_TENANT.id, logged: expect.any(String) });
  });

  it.each([PROBE_TENANT.id, PROBE_TENANT.id.toUpperCase(), PROBE_TENANT.slug])(
    'takes the own tenant as %s',
    async (own) => {
      const answer = await call('GET', '/probe/actor', bearer('AGENT', { 'x-tenant-id': own }));
      expect(answer.statusCode).toBe(200);
    },
  );

  it.each(['01890000-0000-7000-8000-000000000002', 'other', '', 'probe, other'])(
    'answers 404 to the foreign tenant "%s", before it looks at permissions',
    async (foreign) => {
      const answer = await call('POST', '/probe/send', bearer('AUDITOR', { 'x-tenant-id': foreign }));
      expect([answer.statusCode, answer.json().code]).toEqual([404, 'TENANT_NOT_FOUND']);
    },
  );

  it('carries the context over the reading of a body', async () => {
    const answer = await app.inject({
      method: 'POST',
      url: '/probe/items',
      headers: { 'x-request-id': 'trace-12345678' },
      payload: { name: 'x' },
    });
    expect(answer.json().requestId).toBe('trace-12345678');
  });

  it('hands a raw route the untouched bytes, up to its own limit', async () => {
    const json = { 'content-type': 'application/json' };
    const send = (payload: string) => app.inject({ method: 'POST', url: '/probe/hook', headers: json, payload });
    const [malformed, large, tooLarge] = await Promise.all([
      send('{ "not":   json'),
      send('x'.repeat(2 * 1024 * 1024)),
      send('x'.repeat(4 * 1024 * 1024)),
    ]);
    expect(malformed.json()).toEqual({ bytes: 15 });
    expect(large.json()).toEqual({ bytes: 2 * 1024 * 1024 });
    expect(tooLarge.json().code).toBe('PAYLOAD_TOO_LARGE');
  });

  it('lets no cache keep an answer, but the pages of the documentation', async () => {
    const answers = await Promise.all(
      ['/probe/open', '/probe/actor', '/nothing'].map((url) => call('GET', url, bearer('AGENT'))),
    );
    expect(answers.map(({ headers }) => headers['cache-control'])).toEqual(['no-store', 'no-store', 'no-store']);
    expect((await call('GET', '/api/docs')).headers['cache-control']).not.toBe('no-store');
  });

  it('does not start with a handler that says not who may call it', async () => {
    await expect(createProbeApp({ unmarked: true })).rejects.toThrow('UnmarkedController.forgotten (GET /unmarked)');
  });
});

describe('lists', () => {
  let app: NestFastifyApplication;

  beforeAll(async () => {
    app = await createProbeApp();
  });

  afterAll(() => app.close());

  it('take 20 rows unless told otherwise, and tell the next page and the total', async () => {
    const answer = await app.inject('/api/probe/list?count=true');
    expect(answer.json()).toEqual([{ limit: 20, count: true }]);
    expect(answer.headers.link).toBe('</api/probe/list?count=true&limit=20&cursor=next+one>; rel="next"');
    expect(answer.headers['x-total-count']).toBe('3');
  });

  it('that were asked for by offset go on by offset', async () => {
    const answer = await app.inject('/probe/list?limit=5&offset=10');
    expect(answer.headers.link).toBe('</probe/list?limit=5&offset=15>; rel="next"');
  });

  it('go on by cursor where no offset reaches', async () => {
    const last = await app.inject('/probe/list?limit=5&offset=9995');
    expect(last.headers.link).toBe('</probe/list?limit=5&offset=10000>; rel="next"');
    const beyond = await app.inject('/probe/list?limit=5&offset=9996');
    expect(beyond.headers.link).toBe('</probe/list?limit=5&cursor=next+one>; rel="next"');
  });

  it('take a cursor in whatever case', async () => {
    const answer = await app.inject(`/probe/list?cursor=${PROBE_TENANT.id.replace('7000', '7ABC')}`);
    expect(answer.json()).toEqual([{ limit: 20, cursor: PROBE_TENANT.id.replace('7000', '7abc') }]);
  });
});

describe('how often a route may be called', () => {
  let app: NestFastifyApplication;

  beforeEach(async () => {
    app = await createProbeApp({
      variables: { RATE_LIMIT_PER_MINUTE: '3', AUTH_RATE_LIMIT_PER_MINUTE: '2', TRUSTED_PROXIES: '127.0.0.1/32' },
    });
  });

  afterEach(() => app.close());

  const from = (address: string, headers: Record<string, string> = {}) => ({ 'x-forwarded-for': address, ...headers });

  async function statuses(
    times: number,
    request: { method?: 'GET' | 'POST'; url: string; headers?: Record<string, string>; payload?: object },
  ) {
    const seen: number[] = [];
    for (let time = 0; time < times; time += 1) seen.push((await app.inject({ method: 'GET', ...request })).statusCode);
    return seen;
  }

  it('counts strangers by address, tells how much is left, and when to come again', async () => {
    expect(await statuses(2, { url: '/probe/open', headers: from('203.0.113.1') })).toEqual([200, 200]);
    const third = await app.inject({ url: '/probe/open', headers: from('203.0.113.1') });
    expect(third.headers['ratelimit-limit']).toBe('3');
    expect(third.headers['ratelimit-remaining']).toBe('0');
    expect(Number(third.headers['ratelimit-reset'])).toBeGreaterThan(0);
    const fourth = await app.inject({ url: '/probe/open', headers: from('203.0.113.1') });
    expect([fourth.statusCode, fourth.json().code]).toEqual([429, 'RATE_LIMITED']);
    expect(Number(fourth.headers['retry-after'])).toBeGreaterThan(0);
    expect(fourth.headers['ratelimit-remaining']).toBe('0');
    expect(await statuses(1, { url: '/probe/open', headers: from('203.0.113.2') })).toEqual([200]);
  });

  it('counts addresses that do not exist, and methods that they do not have', async () => {
    expect(await statuses(2, { url: '/nothing', headers: from('203.0.113.8') })).toEqual([404, 404]);
    const third = await app.inject({ method: 'DELETE', url: '/probe/open', headers: from('203.0.113.8') });
    expect([third.statusCode, third.headers['ratelimit-remaining']]).toEqual([405, '0']);
    const fourth = await app.inject({ url: '/nothing', headers: from('203.0.113.8') });
    expect([fourth.statusCode, fourth.json().code]).toEqual([429, 'RATE_LIMITED']);
    expect(Number(fourth.headers['retry-after'])).toBeGreaterThan(0);
    expect(await statuses(1, { url: '/probe/open', headers: from('203.0.113.8') })).toEqual([429]);
    expect(await statuses(5, { url: '/api/docs', headers: from('203.0.113.9') })).toEqual([200, 200, 200, 200, 200]);
  });

  it('names at most a minute while hits are left', async () => {
    const { headers } = await app.inject({ url: '/probe/open', headers: from('203.0.113.10') });
    expect(headers['ratelimit-remaining']).toBe('2');
    expect(Number(headers['ratelimit-reset'])).toBe(60);
  });

  it('counts an IPv6 network as one address', async () => {
    await statuses(3, { url: '/probe/open', headers: from('2001:db8:1:2::1') });
    expect(await statuses(1, { url: '/probe/open', headers: from('2001:db8:1:2::ffff') })).toEqual([429]);
  });

  it('counts wrong credentials against their address, and lets those who are known through', async () => {
    const guess = { url: '/probe/actor', headers: from('203.0.113.3', { authorization: 'Bearer guess' }) };
    expect(await statuses(4, guess)).toEqual([401, 401, 401, 429]);
    const known = { url: '/probe/actor', headers: from('203.0.113.3', bearer('AGENT')) };
    expect(await statuses(5, known)).toEqual([200, 200, 200, 200, 200]);
  });

  it('counts attempts to get in by address and by account', async () => {
    const login = (address: string, email: string) => ({
      method: 'POST' as const,
      url: '/probe/login',
      headers: from(address),
      payload: { email },
    });
    expect(await statuses(3, login('203.0.113.4', 'a@x.example'))).toEqual([200, 200, 429]);
    expect(await statuses(1, login('203.0.113.5', 'A@x.example '))).toEqual([429]);
    expect(await statuses(1, login('203.0.113.6', 'b@x.example'))).toEqual([200]);
  });

  it('counts an account once in whatever spelling the accounts know it, however much space is around it', async () => {
    const spellings = ['\u00e5@x.example', `${' '.repeat(400)}\u00c5@x.example`, 'A\u030a@x.example'];
    const seen = [];
    for (const [n, email] of spellings.entries())
      seen.push(
        ...(await statuses(1, {
          method: 'POST',
          url: '/probe/login',
          headers: from(`203.0.113.${20 + n}`),
          payload: { email },
        })),
      );
    expect(seen).toEqual([200, 200, 429]);
  });

  it('does not count what is exempt', async () => {
    const hook = { method: 'POST' as const, url: '/probe/hook', headers: from('203.0.113.7'), payload: { a: 1 } };
    expect(await statuses(5, hook)).toEqual([201, 201, 201, 201, 201]);
  });
});
