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
    app = await createProbeApp();
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
    expect(refusal.body.requestId).toMatch(/^[\w.-]{8,64}$/);
    expect(typeof refusal.body.error).toBe('string');
    expect(Object.keys(refusal.body).sort()).toEqual(
      refusal.body.details ? ['code', 'details', 'error', 'requestId'] : ['code', 'error', 'requestId'],
    );
    expect(refusal.headers['x-content-type-options']).toBe('nosniff');
    expect(refusal.headers['content-type']).toMatch(/^application\/json/);
  }

  const json = (payload: string) => ({
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
      expectRefusal(await refused(json(payload)), 400, 'VALIDATION_FAILED');
    },
  );

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
    'offset=-1',
    'count=yes',
    'offset=1&cursor=x',
    'sort=name',
  ])('is the list query %s: 400', async (query) => {
    expectRefusal(await refused({ method: 'GET', url: `/probe/list?${query}` }), 400, 'VALIDATION_FAILED');
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

  it('takes an empty JSON body where none is needed', async () => {
    const answer = await app.inject({
      method: 'DELETE',
      url: '/probe/items/1',
      headers: { 'content-type': 'application/json' },
      payload: '',
    });
    expect(answer.statusCode).toBe(204);
  });

  it('keeps a sane request id and replaces any other', async () => {
    const sane = await refused({ method: 'GET', url: '/nothing', headers: { 'x-request-id': 'trace-12345678' } });
    const mad = await refused({ method: 'GET', url: '/nothing', headers: { 'x-request-id': '<script>alert(1)' } });
    expect(sane.body.requestId).toBe('trace-12345678');
    expect(mad.body.requestId).not.toContain('script');
  });
});
