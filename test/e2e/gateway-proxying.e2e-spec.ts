import { once } from 'node:events';
import { request, type IncomingMessage, type RequestOptions } from 'node:http';
import { text } from 'node:stream/consumers';
import { exchangeBytes, KEY, type Listening, Rig, serveBytes, serveHttp, TENANT } from './gateway-front.harness';

interface Seen {
  method: string;
  url: string;
  headers: [string, string][];
  body: string;
}

const ignore = (): void => undefined;

/** Names and values in pairs, names in lower case. */
const pairs = (raw: readonly string[]): [string, string][] =>
  raw.flatMap((name, index) => (index % 2 === 0 ? [[name.toLowerCase(), raw[index + 1] as string]] : []));
const valuesOf = (headers: [string, string][], name: string): string[] =>
  headers.filter(([key]) => key === name).map(([, value]) => value);

describe('the gateway between a client and an upstream', () => {
  let upstream: Listening;
  let rig: Rig;
  let seen: Seen[];
  /** What the upstream answers. */
  let answer: { status: number; headers: string[]; body?: string };

  beforeAll(async () => {
    upstream = await serveHttp((incoming, response) => {
      void text(incoming).then((body) => {
        seen.push({
          method: incoming.method ?? '',
          url: incoming.url ?? '',
          headers: pairs(incoming.rawHeaders),
          body,
        });
        response.writeHead(answer.status, answer.headers).end(answer.body);
      }, ignore);
    });
  });

  afterAll(() => upstream.close());

  beforeEach(async () => {
    seen = [];
    answer = { status: 200, headers: [], body: 'hello' };
    // Anew for each: five bad answers in a row, of whichever tests, would eject the upstream.
    rig = await new Rig([`${upstream.url}/base`], {
      route: { headers: { set: { 'x-set': 'by the route', 'x-tenant-id': 'forged' }, remove: ['x-gone', 'host'] } },
    }).open();
  });

  afterEach(() => rig.close());

  const send = async (
    options: RequestOptions,
    body?: string | string[],
  ): Promise<{ message: IncomingMessage; status: number; body: string }> => {
    const headers = options.headers ?? {};
    const call = request({
      port: rig.port,
      path: '/a?b=c',
      ...options,
      headers: Array.isArray(headers) ? headers : { 'x-api-key': KEY, ...headers },
    });
    const answered = once(call, 'response') as Promise<[IncomingMessage]>;
    if (Array.isArray(body)) for (const part of body) call.write(part);
    call.end(typeof body === 'string' ? body : undefined);
    const [message] = await answered;
    return { message, status: message.statusCode ?? 0, body: await text(message) };
  };

  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'REPORT', 'QUERY'])(
    'passes %s on with path and query',
    async (method) => {
      const { status, body } = await send({ method });
      expect([status, body]).toEqual([200, 'hello']);
      expect(seen).toMatchObject([{ method, url: '/base/a?b=c', body: '' }]);
    },
  );

  it.each([200, 201, 202, 206, 301, 302, 307, 400, 401, 404, 409, 418, 429, 451, 500, 502, 503, 504, 599])(
    'passes status %i back, redirects and errors too',
    async (status) => {
      answer = { status, headers: ['Location', 'http://elsewhere.test/'] };
      const { message } = await send({});
      expect([message.statusCode, message.headers.location]).toEqual([status, 'http://elsewhere.test/']);
    },
  );

  it('passes a body of known length with its length', async () => {
    const { body } = await send({ method: 'POST', headers: { 'content-length': '5' } }, 'abcde');
    expect(body).toBe('hello');
    expect(seen[0]?.body).toBe('abcde');
    expect(valuesOf(seen[0]?.headers ?? [], 'content-length')).toEqual(['5']);
    expect(valuesOf(seen[0]?.headers ?? [], 'transfer-encoding')).toEqual([]);
  });

  it.each(['POST', 'GET', 'DELETE'])('passes a chunked body of %s in chunks', async (method) => {
    await send({ method, headers: { 'transfer-encoding': 'chunked' } }, ['ab', 'cd']);
    expect(seen[0]?.body).toBe('abcd');
    expect(valuesOf(seen[0]?.headers ?? [], 'transfer-encoding')).toEqual(['chunked']);
    expect(valuesOf(seen[0]?.headers ?? [], 'content-length')).toEqual([]);
  });

  it('keeps an empty body of a POST an empty body', async () => {
    await send({ method: 'POST', headers: { 'content-length': '0' } });
    expect(valuesOf(seen[0]?.headers ?? [], 'content-length')).toEqual(['0']);
  });

  it('keeps repeated and unusual headers of both sides in their order', async () => {
    const latin = 'caf\u00e9';
    answer.headers = ['Set-Cookie', 'a=1', 'X-Odd', latin, 'set-cookie', 'b=2', 'X-Empty', '', 'Via', '1.1 up'];
    const sent = ['X-Api-Key', KEY, 'Host', 'shop.test', 'Cookie', 'a=1', 'X-Many', '1', 'X-Odd', latin, 'X-Many', '2'];
    const { message } = await send({ headers: sent });
    expect(seen[0]?.headers.slice(0, 6)).toEqual([
      ['host', new URL(upstream.url).host],
      ['connection', 'keep-alive'],
      ['cookie', 'a=1'],
      ['x-many', '1'],
      ['x-odd', latin],
      ['x-many', '2'],
    ]);
    expect(pairs(message.rawHeaders).slice(0, 5)).toEqual([
      ['set-cookie', 'a=1'],
      ['x-odd', latin],
      ['set-cookie', 'b=2'],
      ['x-empty', ''],
      ['via', '1.1 up'],
    ]);
  });

  it('says who the client is, whatever it says itself, and keeps its key', async () => {
    await send({
      headers: {
        host: 'shop.test:8080',
        'x-forwarded-for': '6.6.6.6',
        'x-forwarded-host': 'evil.test',
        'x-forwarded-proto': 'gopher',
        'x-forwarded-port': '1',
        forwarded: 'for=6.6.6.6',
        'x-real-ip': '6.6.6.6',
        'x-tenant-id': 'evil',
        'x-tenant-name': 'evil',
        x_tenant_id: 'evil',
        x_forwarded_for: '6.6.6.6',
        'x-request-id': 'chosen-by-me',
      },
    });
    const headers = seen[0]?.headers ?? [];
    expect(headers.filter(([name]) => /forwarded|real|tenant|request-id|key/.test(name))).toEqual([
      ['x-forwarded-for', '127.0.0.1'],
      ['x-forwarded-proto', 'http'],
      ['x-forwarded-host', 'shop.test:8080'],
      ['x-request-id', 'chosen-by-me'],
      ['x-tenant-id', TENANT],
    ]);
  });

  it('makes an id where the client has no sane one, and tells both sides', async () => {
    answer.headers = ['X-Request-Id', 'of the upstream'];
    const { message } = await send({ headers: { 'x-request-id': 'no good id' } });
    const [id] = valuesOf(seen[0]?.headers ?? [], 'x-request-id');
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(valuesOf(pairs(message.rawHeaders), 'x-request-id')).toEqual([id]);
  });

  it('sets and removes what the route says, but nothing of its own', async () => {
    await send({ headers: { 'x-set': 'by the client', 'x-gone': '1', 'x-kept': '1' } });
    const headers = seen[0]?.headers ?? [];
    expect(valuesOf(headers, 'x-set')).toEqual(['by the route']);
    expect(valuesOf(headers, 'x-gone')).toEqual([]);
    expect(valuesOf(headers, 'x-kept')).toEqual(['1']);
    expect(valuesOf(headers, 'x-tenant-id')).toEqual([TENANT]);
    expect(valuesOf(headers, 'host')).toEqual([new URL(upstream.url).host]);
  });

  it('removes what belongs to one hop, in both directions', async () => {
    answer.headers = ['Connection', 'x-hop', 'X-Hop', '1', 'Keep-Alive', 'timeout=9', 'Proxy-Authenticate', 'Basic'];
    const { message } = await send({
      headers: {
        connection: 'keep-alive, X-Named, x-forwarded-for, x-tenant-id',
        'x-named': '1',
        'keep-alive': 'timeout=9',
        te: 'trailers',
        'proxy-authorization': 'Basic eA==',
        'proxy-connection': 'keep-alive',
        upgrade: 'h2c',
        proxy: 'http://evil.test',
      },
    });
    const names = (seen[0]?.headers ?? []).map(([name]) => name);
    expect(names).toEqual([
      'host',
      'connection',
      'x-set',
      'x-forwarded-for',
      'x-forwarded-proto',
      'x-forwarded-host',
      'x-request-id',
      'x-tenant-id',
    ]);
    expect(Object.keys(message.headers).filter((name) => /hop|proxy/.test(name))).toEqual([]);
    expect(message.headers['keep-alive']).not.toBe('timeout=9');
  });

  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('answers %s with %i without a body, and goes on with the connection', async (method, status) => {
    answer = { status, headers: status === 200 ? ['Content-Length', '5'] : ['ETag', '"x"'] };
    const one = `${method} / HTTP/1.1\r\nHost: h\r\nX-API-Key: ${KEY}\r\n\r\n`;
    const two = `GET /none HTTP/1.1\r\nHost: h\r\nX-API-Key: ${KEY}\r\nConnection: close\r\n\r\n`;
    const received = await exchangeBytes(rig.port, one + two);
    const [, first, second] = received.split('HTTP/1.1 ');
    expect(first).toMatch(new RegExp(`^${status} `));
    expect(first?.endsWith('\r\n\r\n')).toBe(true);
    expect(first?.toLowerCase()).not.toContain('transfer-encoding');
    expect(first?.toLowerCase().includes('content-length: 5')).toBe(method === 'HEAD');
    expect(second).toMatch(/^404 /);
  });

  it('drops trailers of both sides', async () => {
    const body = `2\r\nab\r\n0\r\nX-Sum: 1\r\n\r\n`;
    const sent = `POST / HTTP/1.1\r\nHost: h\r\nX-API-Key: ${KEY}\r\nConnection: close\r\nTrailer: X-Sum\r\n`;
    expect(await exchangeBytes(rig.port, `${sent}Transfer-Encoding: chunked\r\n\r\n${body}`)).toMatch(
      /^HTTP\/1.1 200 /,
    );
    expect(seen[0]?.body).toBe('ab');
    expect(seen[0]?.headers.map(([name]) => name)).not.toContain('trailer');
    const trailing = await serveBytes(
      'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 1\r\n\r\n',
    );
    const other = await new Rig([trailing.url]).open();
    const received = await exchangeBytes(
      other.port,
      `GET / HTTP/1.1\r\nHost: h\r\nX-API-Key: ${KEY}\r\nConnection: close\r\n\r\n`,
    );
    expect(received).toMatch(/\r\n\r\n2\r\nab\r\n0\r\n\r\n$/);
    expect(received.toLowerCase()).not.toMatch(/trailer|x-sum/);
    await other.close();
    await trailing.close();
  });

  it('asks for a body that is promised, once the upstream is there to take it', async () => {
    const head = `POST / HTTP/1.1\r\nHost: h\r\nX-API-Key: ${KEY}\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n`;
    const first = await exchangeBytes(rig.port, head, '\r\n\r\n');
    expect(first).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    const { body } = await send({ method: 'POST', headers: { expect: 'something-else' } }, 'abc');
    expect([body, seen.at(-1)?.body]).toEqual(['hello', 'abc']);
  });

  it('serves request after request over one connection on each side', async () => {
    const line = `GET /n HTTP/1.1\r\nHost: h\r\nX-API-Key: ${KEY}\r\n`;
    const received = await exchangeBytes(rig.port, `${`${line}\r\n`.repeat(20)}${line}Connection: close\r\n\r\n`);
    expect(received.match(/HTTP\/1.1 200 OK/g)).toHaveLength(21);
    expect(seen).toHaveLength(21);
    expect(upstream.sockets.size).toBeLessThanOrEqual(21);
    const before = upstream.sockets.size;
    for (let i = 0; i < 5; i += 1) await send({});
    expect(upstream.sockets.size).toBeLessThanOrEqual(before);
  });

  it('speaks HTTP/1.0 with those who do', async () => {
    answer.headers = ['X-Chunked', 'yes'];
    const received = await exchangeBytes(rig.port, `GET / HTTP/1.0\r\nX-API-Key: ${KEY}\r\n\r\n`);
    expect(received).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\nhello$/);
    expect(received.toLowerCase()).not.toContain('transfer-encoding');
  });

  it('tells of each exchange once, and writes one line without the address', async () => {
    const before = rig.ended.length;
    await send({ path: '/secret/path?token=1', method: 'DELETE' });
    const ended = await rig.untilEnded(before + 1);
    expect(ended).toMatchObject({ tenantId: TENANT, method: 'DELETE', status: 200, attempts: 1 });
    expect(ended.route).toBe(rig.route);
    expect(ended.totalMs).toBeGreaterThanOrEqual(ended.upstreamMs ?? Infinity);
    const line = rig.lines.at(-1);
    expect(line).toMatchObject({ msg: 'request', route: rig.route.id, status: 200, request_id: ended.requestId });
    expect(JSON.stringify(line)).not.toMatch(/secret|token/);
    expect(rig.balancer.told.every(({ releases }) => releases === 1)).toBe(true);
  });
});
