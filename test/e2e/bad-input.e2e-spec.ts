import { once } from 'node:events';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createProbeApp } from '../support/probe-app';

interface Refusal {
  status: number;
  headers: Record<string, unknown>;
  body: { error: string; code: string; requestId: string; details?: { field: string; message: string }[] };
}

/** Sends bytes as they are and reads until the server closes the connection. */
async function raw(port: number, bytes: string): Promise<Refusal> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket.write(bytes);
  await once(socket, 'close');
  const [head = '', body = ''] = text.split('\r\n\r\n', 2);
  const [status = '', ...lines] = head.split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );
  return { status: Number(status.split(' ')[1]), headers, body: JSON.parse(body) as Refusal['body'] };
}

describe('what is not a proper request', () => {
  let app: NestFastifyApplication;
  let port: number;

  beforeAll(async () => {
    app = await createProbeApp({ variables: { RATE_LIMIT_PER_MINUTE: '100000' } });
    await app.listen(0, '127.0.0.1');
    port = (app.getHttpServer().address() as AddressInfo).port;
  });

  afterAll(() => app.close());

  async function refused(request: Parameters<NestFastifyApplication['inject']>[0]): Promise<Refusal> {
    const answer = await app.inject(request as never);
    return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
  }

  function expectRefusal(refusal: Refusal, status: number, code: string): void {
    expect({ status: refusal.status, code: refusal.body.code }).toEqual({ status, code });
    expect(refusal.body.requestId).toBe(refusal.headers['x-request-id']);
    expect(refusal.body.requestId).toMatch(/^[\w.:/=+@-]{1,128}$/);
    expect(typeof refusal.body.error).toBe('string');
    expect(Object.keys(refusal.body).sort()).toEqual(
      refusal.body.details ? ['code', 'details', 'error', 'requestId'] : ['code', 'error', 'requestId'],
    );
    expect(refusal.headers['x-content-type-options']).toBe('nosniff');
    expect(refusal.headers['content-type']).toMatch(/^application\/json/);
  }

  const json = (payload: string | Buffer) => ({
    method: 'POST' as const,
    url: '/probe/items',
    headers: { 'content-type': 'application/json' },
    payload,
  });

  it('is malformed JSON: 400', async () => {
    expectRefusal(await refused(json('{"name": ')), 400, 'VALIDATION_FAILED');
  });

  it('is an empty body where one is needed: 400 that names the field', async () => {
    const refusal = await refused(json(''));
    expectRefusal(refusal, 400, 'VALIDATION_FAILED');
    expect(refusal.body.details?.map(({ field }) => field)).toContain('name');
  });

  it.each(['[]', '"text"', '7', 'true'])('is the JSON %s where an object is asked for: 400', async (payload) => {
    expectRefusal(await refused(json(payload)), 400, 'VALIDATION_FAILED');
  });

  it('is an unknown field: 400 that names it', async () => {
    const refusal = await refused(json('{"name":"x","admin":true}'));
    expectRefusal(refusal, 400, 'VALIDATION_FAILED');
    expect(refusal.body.details).toEqual([{ field: 'admin', message: 'This field is not known here' }]);
  });

  it('is a wrong type deep inside: 400 with the dotted path', async () => {
    const refusal = await refused(json('{"name":"x","pace":{"per_minute":"5"}}'));
    expectRefusal(refusal, 400, 'VALIDATION_FAILED');
    expect(refusal.body.details?.[0]?.field).toBe('pace.per_minute');
  });

  it.each(['{"name":"x","__proto__":{"admin":true}}', '{"name":"x","constructor":{"prototype":{"a":1}}}'])(
    'is a key that would reach a prototype, %s: 400',
    async (payload) => {
      const refusal = await refused(json(payload));
      expectRefusal(refusal, 400, 'VALIDATION_FAILED');
      expect(refusal.body.error).toContain('key __proto__');
    },
  );

  it.each(['toString', 'constructor', 'hasOwnProperty'])('is a field named %s: 400 that names it', async (name) => {
    const inBody = await refused(json(`{"name":"x","${name}":1}`));
    const inside = await refused(json(`{"name":"x","pace":{"per_minute":1,"${name}":1}}`));
    const inQuery = await refused({ method: 'GET', url: `/probe/list?${name}=1` });
    for (const refusal of [inBody, inside, inQuery]) expectRefusal(refusal, 400, 'VALIDATION_FAILED');
    expect([inBody, inside, inQuery].map(({ body }) => body.details?.[0]?.field)).toEqual([name, `pace.${name}`, name]);
  });

  it.each([
    ['{"name":"x","pace":null}', 'pace', 'pace must be an object'],
    ['{"name":"x","pace":[{"per_minute":1}]}', 'pace', 'pace must be an object'],
    ['{"name":"x","pace":7}', 'pace', 'pace must be an object'],
    ['{"name":"x","pace":{"per_minute":null}}', 'pace.per_minute', 'per_minute must be an integer number'],
    ['{"name":null}', 'name', 'name must be a string'],
    ['{}', 'name', 'name is required'],
    ['{"name":"x","metadata":null}', 'metadata', 'metadata must be an object'],
    [
      '{"name":"x","metadata":{"a":1e400}}',
      'metadata.a',
      'metadata.a must not be a number beyond the range of a double',
    ],
    ...[
      ['"metadata":{"a":[0,{"serial": -12345678901234567890}]}', 'metadata.a.1.serial'],
      ['"metadata":{"a":0.1000000000000000055}', 'metadata.a'],
      ['"metadata":{"a":1e-400}', 'metadata.a'],
      ['"pace":{"per_minute":5.0000000000000000001}', 'pace.per_minute'],
      ['"pace":{"per_minute":9007199254740993}', 'pace.per_minute'],
      ['"other":12345678901234567890', 'other'],
    ].map(([part = '', field = '']) => [
      `{"name":"x",${part}}`,
      ...[field, `${field} must not be a number that would be rounded; a text keeps every digit`],
    ]),
    [
      '{"name":12345678901234567890}',
      ...['name', 'name must not be a number that would be rounded; a text keeps every digit'],
    ],
  ])('is %s: 400 that says so once', async (payload, field, message) => {
    const refusal = await refused(json(payload));
    expectRefusal(refusal, 400, 'VALIDATION_FAILED');
    expect(refusal.body.details).toEqual([{ field, message }]);
  });

  it('is not a number that a double keeps, however it is written', async () => {
    const numbers = '[0.30000000000000004,-9007199254740991,12.50000000000000000000,1.7976931348623157e308,5e-324]';
    const metadata = `{"text":"[1, 12345678901234567890","a":${numbers}}`;
    const answer = await app.inject(json(`{"name":"x","metadata":${metadata}}`));
    expect(answer.json().body).toEqual({ name: 'x', metadata: JSON.parse(metadata) });
  });

  it('is not what a raw route takes: every byte of it arrives', async () => {
    const answer = await app.inject({ ...json('{"id": 12345678901234567890, "n": 1e-400}'), url: '/probe/hook' });
    expect(answer.json()).toMatchObject({ bytes: 41 });
  });

  it('is no UTF-8: 400', async () => {
    const bytes = Buffer.concat([Buffer.from('{"name":"'), Buffer.from('fffee9', 'hex'), Buffer.from('"}')]);
    const refusal = await refused(json(bytes));
    expectRefusal(refusal, 400, 'VALIDATION_FAILED');
    expect(refusal.body.error).toBe('The body is not valid UTF-8');
    expectRefusal(await refused({ ...json(bytes), url: '/probe/hook' }), 400, 'VALIDATION_FAILED');
  });

  it.each([
    { 'content-type': 'application/json; charset=utf-16' },
    { 'content-type': 'application/json;charset="ISO-8859-1"' },
    { 'content-type': 'application/json', 'content-encoding': 'gzip' },
  ])('is a body of another coding, %j: 415', async (headers) => {
    expectRefusal(await refused({ ...json('{"name":"x"}'), headers }), 415, 'UNSUPPORTED_MEDIA_TYPE');
  });

  it.each([
    { 'content-type': 'application/json; charset=UTF-8' },
    { 'content-type': 'application/json;charset="utf8"', 'content-encoding': 'identity' },
  ])('is not one that says it is UTF-8: %j', async (headers) => {
    expect((await app.inject({ ...json('{"name":"é"}'), headers })).json().body.name).toBe('é');
  });

  it.each([
    ['GET', '/probe/open?x=1', undefined],
    ['GET', '/probe/items/01890000-0000-7000-8000-000000000001?x=1', undefined],
    ['GET', '/probe/open?__proto__=1', undefined],
    ['POST', '/probe/items?x=1', '{"name":"x"}'],
    ['DELETE', '/probe/items/1', '{"x":1}'],
    ['DELETE', '/probe/items/1', '["x"]'],
    ['DELETE', '/probe/items/1', '7'],
  ] as const)('is what %s %s never asked for (body %s): 400', async (method, url, body) => {
    const { headers, payload } = json(body ?? '');
    expectRefusal(await refused({ method, url, headers: body ? headers : {}, payload }), 400, 'VALIDATION_FAILED');
  });

  it('is a body of 2 MiB: 413', async () => {
    expectRefusal(await refused(json(`{"name":"${'x'.repeat(2 * 1024 * 1024)}"}`)), 413, 'PAYLOAD_TOO_LARGE');
  });

  it.each(['text/plain', 'application/xml', 'application/x-www-form-urlencoded'])(
    'is a body of %s: 415',
    async (type) => {
      const refusal = await refused({ ...json('name=x'), headers: { 'content-type': type } });
      expectRefusal(refusal, 415, 'UNSUPPORTED_MEDIA_TYPE');
    },
  );

  it('is a malformed id: 400 that names the parameter', async () => {
    const refusal = await refused({ method: 'GET', url: '/probe/items/not-an-id' });
    expectRefusal(refusal, 400, 'VALIDATION_FAILED');
    expect(refusal.body.details?.[0]?.field).toBe('id');
  });

  it('is an id of 200 characters: 400', async () => {
    expectRefusal(await refused({ method: 'GET', url: `/probe/items/${'a'.repeat(200)}` }), 400, 'VALIDATION_FAILED');
  });

  it.each([
    'limit=0',
    'limit=101',
    'limit=abc',
    'limit=1.5',
    'limit=0x10',
    'limit=1e1',
    'limit=%2010',
    'limit=',
    'limit=1&limit=2',
    'offset=10001',
    'offset=-1',
    'count=yes',
    'offset=1&cursor=x',
    'sort=name',
  ])('is the list query %s: 400 that names each field once', async (query) => {
    const refusal = await refused({ method: 'GET', url: `/probe/list?${query}` });
    expectRefusal(refusal, 400, 'VALIDATION_FAILED');
    const fields = refusal.body.details?.map(({ field }) => field);
    expect(fields).toEqual([...new Set(fields)]);
  });

  it.each(['/nothing', '/api/nothing', '/api', '/', '/api/docs/nothing', '/probe', '/probe/items//'])(
    'is the unknown route %s: 404',
    async (url) => {
      expectRefusal(await refused({ method: 'GET', url }), 404, 'NOT_FOUND');
    },
  );

  it('is an unknown route with a malformed body: still 404', async () => {
    expectRefusal(await refused({ ...json('{'), url: '/nothing' }), 404, 'NOT_FOUND');
  });

  it('is a method that the path does not have: 405 with those that it has', async () => {
    const refusal = await refused({ method: 'PATCH', url: '/api/probe/items/1' });
    expectRefusal(refusal, 405, 'METHOD_NOT_ALLOWED');
    expect(refusal.headers.allow).toBe('DELETE, GET, HEAD');
  });

  it('is badly encoded in its address: 400', async () => {
    expectRefusal(await refused({ method: 'GET', url: '/probe/items/%E0%A4%A' }), 400, 'VALIDATION_FAILED');
  });

  it('is an address of 3,000 characters: 414', async () => {
    expectRefusal(await refused({ method: 'GET', url: `/probe/items/${'a'.repeat(3000)}` }), 414, 'URI_TOO_LONG');
  });

  it('is headers of 20 KiB: 431', async () => {
    const request = `GET /probe/open HTTP/1.1\r\nHost: x\r\nX-Big: ${'a'.repeat(20_000)}\r\n\r\n`;
    expectRefusal(await raw(port, request), 431, 'HEADERS_TOO_LARGE');
  });

  it('is no HTTP at all: 400', async () => {
    expectRefusal(await raw(port, 'HELLO\r\n\r\n'), 400, 'VALIDATION_FAILED');
  });

  it('is HTTP/1.1 without a Host: 400', async () => {
    expectRefusal(await raw(port, 'GET /probe/open HTTP/1.1\r\nConnection: close\r\n\r\n'), 400, 'VALIDATION_FAILED');
  });

  it('is an error of ours: 500 without a word of its cause', async () => {
    const refusal = await refused({ method: 'GET', url: '/probe/boom' });
    expectRefusal(refusal, 500, 'INTERNAL_ERROR');
    expect(JSON.stringify(refusal.body)).not.toMatch(/secret|passwd|Error:|\.ts/);
  });

  it('meets a database that is away: 503 without its address', async () => {
    const refusal = await refused({ method: 'GET', url: '/probe/no-database' });
    expectRefusal(refusal, 503, 'DATABASE_ERROR');
    expect(refusal.headers['retry-after']).toBe('1');
    expect(JSON.stringify(refusal.body)).not.toContain('10.1.2.3');
  });

  it.each(['', '{}'])('takes the empty JSON body "%s" where none is needed', async (payload) => {
    const { headers } = json('');
    const answer = await app.inject({ method: 'DELETE', url: '/probe/items/1', headers, payload });
    expect(answer.statusCode).toBe(204);
  });

  it('keeps a sane request id and replaces any other', async () => {
    const sane = await refused({ method: 'GET', url: '/nothing', headers: { 'x-request-id': 'Root=1-6789' } });
    const mad = await refused({ method: 'GET', url: '/nothing', headers: { 'x-request-id': '<script>alert(1)' } });
    expect(sane.body.requestId).toBe('Root=1-6789');
    expect(mad.body.requestId).not.toContain('script');
  });
});
