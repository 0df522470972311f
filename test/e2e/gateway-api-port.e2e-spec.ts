import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { makeKey } from '../support/api-keys';
import { startTestApp, type TestApp } from '../support/running-app';
import { exchangeBytes, type Listening, serveSockets } from './gateway-front.harness';

/** What Node's HTTP server decides before anybody is asked: it is the API's server that carries the gateway here. */
describe("the gateway on the API's port", () => {
  let app: TestApp;
  let upstream: Listening;
  let port: number;
  let head: string;

  beforeAll(async () => {
    upstream = await serveSockets(serve);
    app = await startTestApp({ config: { GATEWAY_ALLOWED_CIDRS: '127.0.0.0/8' } });
    port = Number(new URL(app.url).port);
    const admin = await app.login('TENANT_ADMIN');
    const route = { path: '/shop', path_type: 'prefix', upstreams: [{ url: upstream.url }] };
    expect((await admin.http.post('/gateway/routes', route)).status).toBe(201);
    head = `Host: h\r\nX-API-Key: ${(await makeKey(app, admin.http)).key}\r\n`;
  });

  afterAll(async () => {
    await app.close();
    await upstream.close();
  });

  /** Opens WebSockets, begins an answer of eight bytes, or echoes a body of four. */
  function serve(socket: Socket): void {
    let seen = '';
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.toString('latin1');
      const [top = '', body] = seen.split('\r\n\r\n');
      if (body === undefined) return;
      if (/upgrade: websocket/i.test(top)) {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
        socket.removeAllListeners('data').pipe(socket);
      } else if (top.startsWith('GET /shop/begun')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npart');
      else if (body.length === 4) socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\ngot ${body}`);
    });
  }

  const upgrade = (protocol: string): string => `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n`;

  it('opens WebSockets', async () => {
    const bytes = `GET /shop/ws HTTP/1.1\r\n${head}${upgrade('WebSocket')}\r\n`;
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let received = '';
    const echoed = Promise.withResolvers<void>();
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      if (received.endsWith('\r\n\r\n')) socket.write('frame');
      if (received.endsWith('frame')) echoed.resolve();
    });
    await echoed.promise;
    expect(received).toMatch(/^HTTP\/1.1 101 Switching Protocols\r\n/);
    socket.destroy();
  });

  it('proxies a request that would change to another protocol as it is', async () => {
    const bytes = `POST /shop HTTP/1.1\r\n${head}${upgrade('h2c')}Content-Length: 4\r\n\r\nbody`;
    expect(await exchangeBytes(port, bytes, /got body|"code"/)).toMatch(/^HTTP\/1.1 200 OK[^]*got body$/);
  });

  it.each(['h2c', 'websocket'])('leaves the API a plain request that would become %s', async (protocol) => {
    const body = '{"email":"nobody@example.test","password":"none of ours"}';
    const headers = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
    const bytes = `POST /auth/login HTTP/1.1\r\n${head}${upgrade(protocol)}${headers}\r\n${body}`;
    expect(await exchangeBytes(port, bytes, /"requestId":"[^"]+"/)).toMatch(/^HTTP\/1.1 401 /);
  });

  it('asks for promised bodies once', async () => {
    const expecting = (path: string, length: number): string =>
      `POST ${path} HTTP/1.1\r\n${head}Expect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
    const socket = connect(port, '127.0.0.1', () => socket.write(expecting('/shop', 4)));
    let received = '';
    const answered = Promise.withResolvers<void>();
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      if (received === 'HTTP/1.1 100 Continue\r\n\r\n') socket.write('body');
      if (received.endsWith('got body')) answered.resolve();
    });
    await answered.promise;
    socket.destroy();
    expect(received.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 100', 'HTTP/1.1 200']);
    expect(await exchangeBytes(port, expecting('/auth/login', 2), '\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n');
  });

  it('cuts an answer off in whose middle something comes that is no HTTP', async () => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`GET /shop/begun HTTP/1.1\r\n${head}\r\n`));
    let received = '';
    const closed = once(socket, 'close');
    socket
      .on('error', () => undefined)
      .on('data', (chunk: Buffer) => {
        received += chunk.toString('latin1');
        if (received.endsWith('part')) socket.write('no HTTP\r\n\r\n');
      });
    await closed;
    expect(received).toMatch(/^HTTP\/1.1 200 [^]*\r\n\r\npart$/);
  });
});
