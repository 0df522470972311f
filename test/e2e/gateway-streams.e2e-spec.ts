import { once } from 'node:events';
import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { closeGatewayServer } from '../../src/modules/gateway/proxy/gateway-server';
import { exchangeBytes, KEY, type Listening, Rig, serveHttp, serveSockets, until } from './gateway-front.harness';

const HEAD = `Host: h\r\nX-API-Key: ${KEY}\r\n`;
const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n';
const SWITCHING =
  'HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: s3\r\nX-Up: 1\r\n\r\n';

describe('streams through the gateway', () => {
  const opened: { close(): Promise<void> }[] = [];

  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });

  const rigFor = async (upstream: Listening, options: ConstructorParameters<typeof Rig>[1] = {}): Promise<Rig> => {
    opened.unshift(upstream);
    const rig = await new Rig([upstream.url], options).open();
    opened.unshift(rig);
    return rig;
  };

  it('carries each server-sent event before the next is sent, and the head before any', async () => {
    let response: ServerResponse | undefined;
    const rig = await rigFor(
      await serveHttp((_incoming, answer) => {
        response = answer;
        answer.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      }),
    );
    const call = request({ port: rig.port, headers: { 'x-api-key': KEY } }).end();
    const [message] = (await once(call, 'response')) as [IncomingMessage];
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      const arrived = once(message, 'data') as Promise<[Buffer]>;
      response?.write(event);
      expect((await arrived)[0].toString()).toBe(event);
    }
    const end = once(message.resume(), 'end');
    response?.end();
    await end;
  });

  it('carries both directions of one exchange at once', async () => {
    const rig = await rigFor(await serveHttp((incoming, answer) => void incoming.pipe(answer)));
    const call = request({ port: rig.port, method: 'POST', headers: { 'x-api-key': KEY } });
    const answered = once(call, 'response') as Promise<[IncomingMessage]>;
    call.write('one');
    const [message] = await answered;
    expect(((await once(message, 'data')) as [Buffer])[0].toString()).toBe('one');
    call.end('two');
    expect(await text(message)).toBe('two');
  });

  it('reads no more of an upstream than a slow client takes, and no more of a client than a slow upstream takes', async () => {
    const part = Buffer.alloc(64 * 1024);
    let sentBytes = 0;
    let stopped = false;
    const rig = await rigFor(
      await serveHttp((incoming, answer) => {
        if (incoming.method === 'POST') return;
        const send = (): void => {
          stopped = false;
          while (sentBytes < 64 * 1024 * 1024) {
            sentBytes += part.length;
            if (!answer.write(part)) {
              stopped = true;
              answer.once('drain', send);
              return;
            }
          }
          answer.end();
        };
        send();
      }),
    );
    const call = request({ port: rig.port, headers: { 'x-api-key': KEY } }).end();
    const [message] = (await once(call, 'response')) as [IncomingMessage];
    await still(() => sentBytes);
    expect(stopped).toBe(true);
    expect(sentBytes).toBeLessThan(32 * 1024 * 1024);
    let receivedBytes = 0;
    for await (const chunk of message as AsyncIterable<Buffer>) receivedBytes += chunk.length;
    expect(receivedBytes).toBe(sentBytes);

    const sender = request({ port: rig.port, method: 'POST', headers: { 'x-api-key': KEY } }).on(
      'error',
      () => undefined,
    );
    let writtenBytes = 0;
    while (writtenBytes < 64 * 1024 * 1024 && sender.write(part)) writtenBytes += part.length;
    const counted = (): number => sender.socket?.bytesWritten ?? 0;
    sender.write(Buffer.alloc(32 * 1024 * 1024));
    await still(() => counted() - (sender.socket?.writableLength ?? 0));
    expect(counted() - (sender.socket?.writableLength ?? 0)).toBeLessThan(16 * 1024 * 1024);
    sender.destroy();
    await rig.untilEnded(2);
  });

  /** Waits until the figure has not changed over many turns of the event loop. */
  async function still(figure: () => number): Promise<void> {
    let last = -1;
    for (let same = 0; same < 200;) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      same = figure() === last ? same + 1 : 0;
      last = figure();
    }
  }

  /** An upstream that agrees to every WebSocket and then hands out the raw socket. */
  const socketUpstream = (handler: (socket: Socket, head: string) => void): Promise<Listening> =>
    serveSockets((socket) => {
      socket.once('data', (chunk: Buffer) => {
        socket.write(SWITCHING);
        handler(socket, chunk.toString('latin1'));
      });
    });

  const openSocket = async (rig: Rig, more = ''): Promise<{ socket: Socket; head: string }> => {
    const socket = connect(rig.port, '127.0.0.1');
    socket.on('error', () => undefined).write(`GET /ws?a=1 HTTP/1.1\r\n${HEAD}${UPGRADE}\r\n${more}`);
    let head = '';
    while (!head.includes('\r\n\r\n')) head += ((await once(socket, 'data')) as [Buffer])[0].toString('latin1');
    return { socket, head };
  };

  it('opens WebSockets and echoes megabytes through them, bytes sent early among them', async () => {
    let asked = '';
    const rig = await rigFor(
      await socketUpstream((socket, head) => {
        asked = head;
        socket.pipe(socket);
      }),
    );
    const { socket, head } = await openSocket(rig, 'early');
    expect(asked).toMatch(/^GET \/ws\?a=1 HTTP\/1.1\r\n/);
    expect(asked.toLowerCase()).toMatch(/connection: upgrade\r\nupgrade: websocket\r\n[^]*sec-websocket-key: x3jj/);
    expect(asked.toLowerCase()).toMatch(/x-tenant-id: [^]*/);
    expect(asked.toLowerCase()).not.toContain('x-api-key');
    expect(head).toMatch(/^HTTP\/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n/);
    expect(head).toMatch(/\r\nSec-WebSocket-Accept: s3\r\nX-Up: 1\r\nX-Request-Id: /);
    const sent = Buffer.alloc(8 * 1024 * 1024, 'frame');
    let received = head.slice(head.indexOf('\r\n\r\n') + 4).length;
    const whole = new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (received === sent.length + 'early'.length) resolve();
      });
    });
    socket.write(sent);
    await whole;
    socket.end();
    await once(socket, 'close');
    expect(await rig.untilEnded(1)).toMatchObject({ status: 101, attempts: 1 });
    expect(rig.balancer.told).toMatchObject([{ statuses: [101], failures: [], releases: 1 }]);
  });

  it('holds a WebSocket back whose other side does not read', async () => {
    const rig = await rigFor(await socketUpstream((socket) => void socket.pause()), {
      traffic: { tunnelIdleMs: 3000 },
    });
    const { socket } = await openSocket(rig);
    socket.write(Buffer.alloc(64 * 1024 * 1024));
    await still(() => socket.bytesWritten - socket.writableLength);
    expect(socket.bytesWritten - socket.writableLength).toBeLessThan(32 * 1024 * 1024);
    socket.destroy(); // which nobody sees who does not read: its idle time ends it
    await rig.untilEnded(1);
  });

  it('ends both ends of a WebSocket when one goes, and gives the last bytes of the one that went', async () => {
    const rig = await rigFor(
      await socketUpstream((socket) => {
        socket.on('data', (chunk: Buffer) => {
          if (chunk.toString() === 'leave') socket.end('last words');
        });
      }),
    );
    const { socket } = await openSocket(rig);
    const said = text(socket);
    socket.write('leave');
    expect(await said).toBe('last words');
    const other = await openSocket(rig);
    const upstreams = [...(opened.at(-1) as Listening).sockets];
    other.socket.resetAndDestroy();
    await until(() => upstreams.every((one) => one.destroyed));
    await rig.untilEnded(2);
  });

  it('waits only so long for one end of a WebSocket to take the last bytes of the other, and counts it until then', async () => {
    const [upstreams, clients]: [Socket[], Socket[]] = [[], []];
    const traffic = { tunnelsPerTenant: 1, tunnelFlushMs: 500 };
    const rig = await rigFor(await socketUpstream((socket) => void upstreams.push(socket)), { traffic });
    rig.server.on('connection', (socket: Socket) => clients.push(socket));
    const { socket } = await openSocket(rig);
    socket.pause();
    const [upstream, client] = [upstreams[0]!, clients[0]!];
    const piece = Buffer.alloc(16 * 1024);
    while (client.writableLength === 0) {
      const before = client.bytesWritten;
      upstream.write(piece);
      await until(() => client.bytesWritten === before + piece.length);
    }
    upstream.end();
    await until(() => upstream.destroyed);
    expect([client.destroyed, rig.ended.length]).toEqual([false, 0]);
    expect(await exchangeBytes(rig.port, `GET / HTTP/1.1\r\n${HEAD}${UPGRADE}\r\n`)).toMatch(/^HTTP\/1.1 429 /);
    await rig.untilEnded(2);
    expect(client.destroyed).toBe(true);
    expect((await openSocket(rig)).head).toMatch(/^HTTP\/1.1 101/);
    socket.destroy();
  });

  it('ends a WebSocket on which nothing comes', async () => {
    const rig = await rigFor(await socketUpstream(() => undefined), { traffic: { tunnelIdleMs: 50 } });
    const { socket } = await openSocket(rig);
    await once(socket.resume(), 'close');
    await rig.untilEnded(1);
  });

  it('opens only so many WebSockets for a tenant, and another when one is closed', async () => {
    const rig = await rigFor(await socketUpstream(() => undefined), { traffic: { tunnelsPerTenant: 1 } });
    const { socket } = await openSocket(rig);
    const refused = await exchangeBytes(rig.port, `GET / HTTP/1.1\r\n${HEAD}${UPGRADE}\r\n`);
    expect(refused).toMatch(/^HTTP\/1.1 429 [^]*retry-after: 10[^]*RATE_LIMITED/i);
    socket.destroy();
    await rig.untilEnded(2);
    expect((await openSocket(rig)).head).toMatch(/^HTTP\/1.1 101/);
  });

  it('passes on what an upstream answers that opens no WebSocket', async () => {
    const rig = await rigFor(
      await serveHttp((_incoming, answer) => void answer.writeHead(426, { 'x-own': '1' }).end('b'.repeat(3_000_000))),
    );
    const received = await exchangeBytes(rig.port, `GET / HTTP/1.1\r\n${HEAD}${UPGRADE}\r\n`);
    expect(received).toMatch(/^HTTP\/1.1 426 Upgrade Required\r\nx-own: 1\r\n[^]*connection: close/i);
    expect(received.match(/b/g)?.length).toBeGreaterThanOrEqual(3_000_000);
    expect(await rig.untilEnded(1)).toMatchObject({ status: 426 });
    expect(rig.balancer.told).toMatchObject([{ statuses: [426], releases: 1 }]);
  });

  it.each([
    ['POST', UPGRADE, 400],
    ['GET', `${UPGRADE}Content-Length: 2\r\n`, 400],
    ['GET', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n', 200],
  ])('answers %s with %j by %i', async (method, headers, status) => {
    const rig = await rigFor(await serveHttp((_incoming, answer) => void answer.end('plain')));
    const received = await exchangeBytes(
      rig.port,
      `${method} / HTTP/1.1\r\n${HEAD}${headers}\r\n`,
      /plain|malformed|"code"/,
    );
    expect(Number(received.slice(9, 12))).toBe(status);
  });

  it('refuses WebSockets as it refuses requests', async () => {
    const rig = await rigFor(await serveHttp(() => undefined), { route: { timeoutMs: 20 } });
    const ask = (path: string, headers: string): Promise<string> =>
      exchangeBytes(rig.port, `GET ${path} HTTP/1.1\r\n${headers}${UPGRADE}\r\n`);
    expect(await ask('/', 'Host: h\r\n')).toMatch(/^HTTP\/1.1 401 [^]*AUTHENTICATION_FAILED/);
    expect(await ask('/none', HEAD)).toMatch(/^HTTP\/1.1 404 [^]*ROUTE_NOT_FOUND/);
    expect(await ask('/../x', HEAD)).toMatch(/^HTTP\/1.1 400 [^]*VALIDATION_FAILED/);
    expect(await ask('/', HEAD)).toMatch(/^HTTP\/1.1 504 [^]*GATEWAY_TIMEOUT/);
  });

  it('finishes what is under way when it is to end, and takes nothing more', async () => {
    let answer: ServerResponse | undefined;
    const upstream = await serveHttp((_incoming, response) => void (answer = response));
    opened.push(upstream);
    const rig = await new Rig([upstream.url]).open();
    const pending = exchangeBytes(rig.port, `GET / HTTP/1.1\r\n${HEAD}\r\n`);
    await until(() => answer !== undefined);
    const { port } = rig;
    const closed = closeGatewayServer(rig.server, rig.front, 10_000);
    const late = connect(port, '127.0.0.1');
    expect(((await once(late, 'error')) as [NodeJS.ErrnoException])[0].code).toBe('ECONNREFUSED');
    answer?.end('done');
    expect(await pending).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*Connection: close\r\n[^]*done/);
    expect(await closed).toBe(true);
    rig.front.close();
    await rig.balancer.close();
  });

  it('cuts off what does not finish in time, and WebSockets at once', async () => {
    const upstream = await socketUpstream(() => undefined);
    opened.push(upstream);
    const rig = await new Rig([upstream.url]).open();
    const { socket } = await openSocket(rig);
    const gone = once(socket.resume(), 'close');
    const hanging = exchangeBytes(rig.port, `POST / HTTP/1.1\r\n${HEAD}Content-Length: 9\r\n\r\nab`);
    await until(() => rig.balancer.told.length === 2);
    expect(await closeGatewayServer(rig.server, rig.front, 50)).toBe(false);
    await Promise.all([gone, hanging]);
    rig.front.close();
    await rig.balancer.close();
  });
});
