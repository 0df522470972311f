import { CommonErrors } from '../../src/common/common.errors';
import type { Asker, RouteTable } from '../../src/modules/gateway/proxy/parts';
import { ACTOR, exchangeBytes, KEY, type Listening, Rig, serveHttp, TENANT } from './gateway-front.harness';

const CLOSE = 'Connection: close\r\n\r\n';
const HEAD = `Host: h\r\nX-API-Key: ${KEY}\r\n`;

/** The status, the headers and the body of the one answer that there is. */
function parse(received: string): { status: number; headers: string; body: Record<string, unknown> } {
  const split = received.indexOf('\r\n\r\n');
  expect(received.match(/HTTP\/1.1 \d/g)).toHaveLength(1);
  return {
    status: Number(received.slice(9, 12)),
    headers: received.slice(0, split).toLowerCase(),
    body: JSON.parse(received.slice(split + 4)) as Record<string, unknown>,
  };
}

describe('what the gateway refuses', () => {
  let upstream: Listening;
  let rig: Rig;
  let asked: string[];

  beforeAll(async () => {
    upstream = await serveHttp((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      request.resume().on('end', () => response.end('ok'));
    });
    rig = await new Rig([upstream.url], {
      keys: (secret) => {
        if (secret === 'broken') return Promise.reject(CommonErrors.database(new Error('gone')));
        if (secret === 'bug') throw new Error('a secret of ours');
        if (secret === 'suspended') return { suspended: ACTOR };
        return secret === KEY ? Promise.resolve(ACTOR) : null;
      },
    }).open();
  });

  afterAll(async () => {
    await rig.close();
    await upstream.close();
  });

  beforeEach(() => {
    asked = [];
  });

  /** The refusal of these bytes, in the one shape, with nothing asked of the upstream. */
  const refusal = async (bytes: string): Promise<[number, unknown]> => {
    const { status, headers, body } = parse(await exchangeBytes(rig.port, bytes));
    expect(headers).toContain('content-type: application/json; charset=utf-8');
    expect(headers).toContain('x-content-type-options: nosniff');
    expect(headers).toContain(`x-request-id: ${String(body.requestId)}`);
    expect(Object.keys(body)).toEqual(['error', 'code', 'requestId']);
    expect(asked).toEqual([]);
    return [status, body.code];
  };

  it.each([
    ['no key', 'Host: h\r\n'],
    ['an unknown key', 'Host: h\r\nX-API-Key: sbk_other\r\n'],
    ['an empty key', 'Host: h\r\nX-API-Key:\r\n'],
    ['two keys', `${HEAD}X-API-Key: ${KEY}\r\n`],
  ])('answers 401 to %s', async (_what, headers) => {
    expect(await refusal(`GET / HTTP/1.1\r\n${headers}${CLOSE}`)).toEqual([401, 'AUTHENTICATION_FAILED']);
  });

  it('answers 403 for a suspended tenant, 404 where no route is', async () => {
    expect(await refusal(`GET / HTTP/1.1\r\nHost: h\r\nX-API-Key: suspended\r\n${CLOSE}`)).toEqual([
      403,
      'TENANT_SUSPENDED',
    ]);
    expect(await refusal(`GET /none HTTP/1.1\r\n${HEAD}${CLOSE}`)).toEqual([404, 'ROUTE_NOT_FOUND']);
    expect(rig.ended.at(-1)).toMatchObject({
      tenantId: TENANT,
      route: null,
      status: 404,
      upstreamMs: null,
      attempts: 0,
    });
  });

  it('answers 503 while keys cannot be read, 500 to what nobody foresaw, without saying what', async () => {
    const get = (key: string): string => `GET / HTTP/1.1\r\nHost: h\r\nX-API-Key: ${key}\r\n${CLOSE}`;
    expect(await refusal(get('broken'))).toEqual([503, 'DATABASE_ERROR']);
    const received = await exchangeBytes(rig.port, get('bug'));
    expect(parse(received)).toMatchObject({ status: 500, body: { code: 'INTERNAL_ERROR' } });
    expect(received).not.toContain('secret of ours');
  });

  it('answers 429 with what is left and when there is more', async () => {
    const verdict = { allowed: false, limit: 60, remaining: 0, resetS: 7 };
    const other = await new Rig([upstream.url], { limit: () => verdict }).open();
    const { status, headers, body } = parse(await exchangeBytes(other.port, `GET / HTTP/1.1\r\n${HEAD}${CLOSE}`));
    expect([status, body.code]).toEqual([429, 'RATE_LIMITED']);
    for (const line of ['retry-after: 7', 'ratelimit-limit: 60', 'ratelimit-remaining: 0', 'ratelimit-reset: 7'])
      expect(headers).toContain(line);
    await other.close();
  });

  it('answers 503 where a match is not there in time, and has it given up', async () => {
    let asker: Asker | undefined;
    const match: RouteTable['match'] = (...args) => {
      asker = args[3];
      return new Promise(() => undefined);
    };
    const slow = await new Rig([upstream.url], { match, traffic: { matchMs: 50 } }).open();
    const { status, headers, body } = parse(await exchangeBytes(slow.port, `GET / HTTP/1.1\r\n${HEAD}${CLOSE}`));
    expect([status, body.code, headers.includes('retry-after: 1')]).toEqual([503, 'SERVICE_UNAVAILABLE', true]);
    expect(await slow.untilEnded(1)).toMatchObject({ status: 503, route: null });
    expect(asker?.isOver).toBe(true);
    await slow.close();
  });

  it('answers 503 where no upstream is left to be asked', async () => {
    const other = await new Rig([]).open();
    expect(parse(await exchangeBytes(other.port, `GET / HTTP/1.1\r\n${HEAD}${CLOSE}`))).toMatchObject({
      status: 503,
      body: { code: 'NO_HEALTHY_UPSTREAM' },
    });
    await other.close();
  });

  const chunked = 'Transfer-Encoding: chunked\r\n';
  it.each([
    ['two lengths', `POST / HTTP/1.1\r\n${HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`],
    ['the same length twice', `POST / HTTP/1.1\r\n${HEAD}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`],
    ['a list of lengths', `POST / HTTP/1.1\r\n${HEAD}Content-Length: 1, 1\r\n\r\na`],
    ['a length and chunks', `POST / HTTP/1.1\r\n${HEAD}Content-Length: 5\r\n${chunked}\r\n0\r\n\r\n`],
    ['chunks and a length', `POST / HTTP/1.1\r\n${HEAD}${chunked}Content-Length: 5\r\n\r\n0\r\n\r\n`],
    ['a negative length', `POST / HTTP/1.1\r\n${HEAD}Content-Length: -1\r\n\r\n`],
    ['a hexadecimal length', `POST / HTTP/1.1\r\n${HEAD}Content-Length: 0x1\r\n\r\na`],
    ['a length with a sign', `POST / HTTP/1.1\r\n${HEAD}Content-Length: +1\r\n\r\na`],
    ['a blank before the colon', `POST / HTTP/1.1\r\n${HEAD}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`],
    ['another coding', `POST / HTTP/1.1\r\n${HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ['chunks twice', `POST / HTTP/1.1\r\n${HEAD}${chunked}${chunked}\r\n0\r\n\r\n`],
    ['a coding with a tail', `POST / HTTP/1.1\r\n${HEAD}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ['obs-fold', `GET / HTTP/1.1\r\n${HEAD}X-A: 1\r\n 2\r\n\r\n`],
    ['a bare LF', `GET / HTTP/1.1\r\nHost: h\nX-API-Key: ${KEY}\r\n\r\n`],
    ['a bare CR', `GET / HTTP/1.1\r\n${HEAD}X-A: 1\r2\r\n\r\n`],
    ['NUL in a value', `GET / HTTP/1.1\r\n${HEAD}X-A: 1\0\r\n\r\n`],
    ['no name', `GET / HTTP/1.1\r\n${HEAD}: 1\r\n\r\n`],
    ['a name with a bracket', `GET / HTTP/1.1\r\n${HEAD}X[A]: 1\r\n\r\n`],
    ['two hosts', `GET / HTTP/1.1\r\nHost: other\r\n${HEAD}\r\n`],
    ['no host', `GET / HTTP/1.1\r\nX-API-Key: ${KEY}\r\n\r\n`],
    ['an empty host', `GET / HTTP/1.1\r\nHost:\r\nX-API-Key: ${KEY}\r\n\r\n`],
    ['a host with a path', `GET / HTTP/1.1\r\nHost: h/../x\r\nX-API-Key: ${KEY}\r\n\r\n`],
    ['no version', `GET /\r\n${HEAD}\r\n`],
    ['HTTP/2', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`],
  ])('answers 400 to %s, and ends the connection', async (_what, bytes) => {
    expect(await refusal(bytes)).toEqual([400, 'VALIDATION_FAILED']);
  });

  it('lets nothing follow that hides in a body', async () => {
    const hidden = `GET /hidden HTTP/1.1\r\n${HEAD}\r\n`;
    const bytes = `POST /a HTTP/1.1\r\n${HEAD}Content-Length: ${hidden.length}\r\n\r\n${hidden}GET /b HTTP/1.1\r\n${HEAD}${CLOSE}`;
    const received = await exchangeBytes(rig.port, bytes);
    expect(received.match(/HTTP\/1.1 200 OK/g)).toHaveLength(2);
    expect(asked).toEqual(['POST /a', 'GET /b']);
  });

  it.each(['5;x\r\nabcde\r\n0\r\n', 'zz\r\nab\r\n', '2\r\nabc\r\n0\r\n\r\n', '-1\r\n', '2\nab\r\n', '0x2\r\nab\r\n'])(
    'never ends a request in peace whose chunks are bad: %j',
    async (body) => {
      const received = await exchangeBytes(
        rig.port,
        `POST / HTTP/1.1\r\n${HEAD}${chunked}\r\n${body}GET /x HTTP/1.1\r\n`,
      );
      expect(received).not.toMatch(/^HTTP\/1.1 200/m);
      expect(asked).not.toContain('GET /x');
    },
  );

  it.each([
    ['http://evil.test/'],
    ['//evil.test/'],
    ['/a//b'],
    ['/a/../b'],
    ['/a/./b'],
    ['/..'],
    ['/.'],
    ['/a/%2e%2e/b'],
    ['/a/%2E./b'],
    ['/a/.%2e'],
    ['/a/..;x/b'],
    ['/a%00b'],
    ['/a%2fb'],
    ['/a%2Fb'],
    ['/a%5cb'],
    ['/a\\b'],
    ['/a#b'],
    ['/a?b#c'],
    ['/a%zz'],
    ['/a%2'],
    ['/caf\u00e9'],
    ['*'],
  ])('answers 400 to the target %s', async (target) => {
    const method = target === '*' ? 'OPTIONS' : 'GET';
    expect(await refusal(`${method} ${target} HTTP/1.1\r\n${HEAD}${CLOSE}`)).toEqual([400, 'VALIDATION_FAILED']);
  });

  it.each(['/...', '/.a/b.', '/a/', '/a%20b', '/a?b=/../c//d', '/a;b=1', '/%41', '/~a/$b'])(
    'passes the target %s on as it is',
    async (target) => {
      await exchangeBytes(rig.port, `GET ${target} HTTP/1.1\r\n${HEAD}${CLOSE}`);
      expect(asked).toEqual([`GET ${target}`]);
    },
  );

  it('takes a path of 2,048 bytes and none that is longer, whatever the query', async () => {
    const get = (target: string): string => `GET ${target} HTTP/1.1\r\n${HEAD}${CLOSE}`;
    await exchangeBytes(rig.port, get(`/${'a'.repeat(2047)}?${'b'.repeat(4000)}`));
    expect(asked).toHaveLength(1);
    asked = [];
    expect(await refusal(get(`/${'a'.repeat(2048)}`))).toEqual([414, 'URI_TOO_LONG']);
  });

  it('answers 431 to headers of more than 16 KiB', async () => {
    const bytes = `GET / HTTP/1.1\r\n${HEAD}X-A: ${'a'.repeat(17_000)}\r\n\r\n`;
    expect(await refusal(bytes)).toEqual([431, 'HEADERS_TOO_LARGE']);
  });

  it.each(['TRACE / HTTP/1.1', 'CONNECT evil.test:443 HTTP/1.1'])('answers 405 to %s', async (line) => {
    expect(await refusal(`${line}\r\n${HEAD}${CLOSE}`)).toEqual([405, 'METHOD_NOT_ALLOWED']);
  });

  it('keeps a connection after the refusal of a small body, and ends it after that of a large one', async () => {
    const bad = (length: number): string => `POST /none HTTP/1.1\r\n${HEAD}Content-Length: ${length}\r\n\r\n`;
    const received = await exchangeBytes(rig.port, `${bad(3)}abcGET /ok HTTP/1.1\r\n${HEAD}${CLOSE}`);
    expect(received.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 404', 'HTTP/1.1 200']);
    const { headers, status } = parse(await exchangeBytes(rig.port, `${bad(1_000_000)}abc`));
    expect([status, headers.includes('connection: close')]).toEqual([404, true]);
  });

  it('does not ask for a promised body that it does not want, and reads nothing after it', async () => {
    const bytes = `POST /none HTTP/1.1\r\n${HEAD}Expect: 100-continue\r\nContent-Length: 30\r\n\r\nGET /x HTTP/1.1\r\n${HEAD}\r\n`;
    const { status, headers } = parse(await exchangeBytes(rig.port, bytes));
    expect([status, headers.includes('connection: close')]).toEqual([404, true]);
    expect(asked).toEqual([]);
  });
});

describe('the address of a client', () => {
  let upstream: Listening;
  let said: Record<string, unknown>;

  beforeAll(async () => {
    upstream = await serveHttp((request, response) => {
      said = request.headers;
      response.end();
    });
  });

  afterAll(() => upstream.close());

  it.each([
    [[], '1.1.1.1', '127.0.0.1', '127.0.0.1'],
    [['10.0.0.0/8'], '1.1.1.1', '127.0.0.1', '127.0.0.1'],
    [['127.0.0.0/8'], '1.1.1.1', '1.1.1.1', '1.1.1.1, 127.0.0.1'],
    [['127.0.0.0/8'], '6.6.6.6, 1.1.1.1', '1.1.1.1', '1.1.1.1, 127.0.0.1'],
    [['127.0.0.0/8', '10.0.0.0/8'], '6.6.6.6, 1.1.1.1, 10.0.0.1', '1.1.1.1', '1.1.1.1, 10.0.0.1, 127.0.0.1'],
  ])('is, trusting %j, of "X-Forwarded-For: %s", %s', async (trustedProxies, sent, address, forwardedFor) => {
    const addresses: string[] = [];
    const keys = (_secret: string, from: string): typeof ACTOR => {
      addresses.push(from);
      return ACTOR;
    };
    const rig = await new Rig([upstream.url], { trustedProxies, keys }).open();
    const forwarded = 'X-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.test\r\n';
    await exchangeBytes(rig.port, `GET / HTTP/1.1\r\n${HEAD}X-Forwarded-For: ${sent}\r\n${forwarded}${CLOSE}`);
    const isTrusted = trustedProxies.includes('127.0.0.0/8');
    expect(addresses).toEqual([address]);
    expect(said['x-forwarded-for']).toBe(forwardedFor);
    expect(said['x-forwarded-proto']).toBe(isTrusted ? 'https' : 'http');
    expect(said['x-forwarded-host']).toBe(isTrusted ? 'shop.test' : 'h');
    await rig.close();
  });

  it('called the host that a trusted proxy says, where that is one', async () => {
    const rig = await new Rig([upstream.url], { trustedProxies: ['127.0.0.0/8'] }).open();
    const hosts: unknown[] = [];
    for (const sent of ['evil.test, [2001:db8::7]:8443', 'shop.test:x', 'shop.test]', 'a:80:80', '']) {
      await exchangeBytes(rig.port, `GET / HTTP/1.1\r\n${HEAD}X-Forwarded-Host: ${sent}\r\n${CLOSE}`);
      hosts.push(said['x-forwarded-host']);
    }
    expect(hosts).toEqual(['[2001:db8::7]:8443', 'h', 'h', 'h', 'h']);
    await rig.close();
  });
});
