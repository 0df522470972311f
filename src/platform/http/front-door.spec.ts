import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { FrontDoors, standBefore } from './front-door';

/** Takes whatever lies under `/door`. */
class Door {
  readonly broken: Socket[] = [];

  takes({ url = '' }: IncomingMessage): boolean {
    return url.startsWith('/door');
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    if (request.headers.expect) response.writeContinue();
    if (request.url === '/door/begun') response.writeHead(200, { 'content-length': '8' }).write('part');
    else void answer('door', request, response);
  }

  upgrade(_request: IncomingMessage, socket: Socket, head: Buffer): void {
    socket.end(`HTTP/1.1 101 Switching Protocols\r\n\r\ntunnel ${head.toString()}`);
  }

  breakOff(socket: Socket): boolean {
    this.broken.push(socket);
    socket.destroy();
    return true;
  }
}

/** Says who answers, the body that came, and how many headers. */
async function answer(who: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request);
  response.end(`${who} got ${body} with ${request.rawHeaders.length / 2}`);
}

const CLOSE = 'Host: h\r\nConnection: close\r\n';
const UPGRADE = (protocol: string): string => `Host: h\r\nConnection: Upgrade, close\r\nUpgrade: ${protocol}\r\n`;

describe('a front door', () => {
  let server: Server;
  let door: Door;
  let doors: FrontDoors;

  beforeEach(async () => {
    server = createServer({ requireHostHeader: false }, (request, response) => {
      if (request.url === '/api/begun') response.writeHead(200, { 'content-length': '8' }).write('part');
      else void answer('api', request, response);
    });
    server.on('clientError', (_error, socket) => socket.end('HTTP/1.1 400 Of The Api\r\n\r\n'));
    door = new Door();
    doors = new FrontDoors();
    doors.open(door);
    standBefore(server, doors);
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  /** What comes back, to the end of the connection. @param then is sent when something that matches has come */
  const exchange = async (sent: string, then?: { after: string; sent: string }): Promise<string> => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1', () => socket.write(sent));
    let received = '';
    let hasAnswered = then === undefined;
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      if (hasAnswered || !received.endsWith(then?.after ?? '')) return;
      hasAnswered = true;
      socket.write(then?.sent ?? '');
    });
    socket.on('error', () => undefined);
    await once(socket, 'close');
    return received;
  };

  it('takes what it wants and leaves the rest', async () => {
    expect(await exchange(`GET /door HTTP/1.1\r\n${CLOSE}\r\n`)).toMatch(/door got {2}with 2$/);
    expect(await exchange(`GET /api HTTP/1.1\r\n${CLOSE}\r\n`)).toMatch(/api got {2}with 2$/);
    expect(() => doors.open(door)).toThrow('already');
  });

  it.each(['websocket', 'WebSocket'])('is handed a %s that it takes', async (protocol) => {
    const received = await exchange(`GET /door HTTP/1.1\r\n${UPGRADE(protocol)}\r\nearly`);
    expect(received).toBe('HTTP/1.1 101 Switching Protocols\r\n\r\ntunnel early');
  });

  it.each([
    ['/api', 'h2c'],
    ['/api', 'websocket'],
    ['/door', 'h2c'],
    ['/door', 'websocket, h2c'],
  ])('leaves a request to %s plain that would become %s, its body with it', async (path, protocol) => {
    const bytes = `POST ${path} HTTP/1.1\r\n${UPGRADE(protocol)}Content-Length: 4\r\n\r\nbody`;
    expect(await exchange(bytes)).toMatch(new RegExp(`^HTTP/1.1 200 [^]*${path.slice(1)} got body with 4$`));
  });

  it.each(['/api', '/door'])('says 100 Continue for %s once', async (path) => {
    const bytes = `POST ${path} HTTP/1.1\r\n${CLOSE}Expect: 100-continue\r\nContent-Length: 4\r\n\r\n`;
    const received = await exchange(bytes, { after: 'HTTP/1.1 100 Continue\r\n\r\n', sent: 'body' });
    expect(received.match(/100 Continue/g)).toHaveLength(1);
    expect(received).toMatch(new RegExp(`${path.slice(1)} got body with 4$`));
  });

  it('is told of each header, however many there are', async () => {
    const many = 'a:b\r\n'.repeat(2500);
    expect(await exchange(`GET /door HTTP/1.1\r\n${many}${CLOSE}\r\n`)).toMatch(/with 2502$/);
  });

  it('is asked first about bytes that are no HTTP, in the middle of an answer', async () => {
    const then = { after: 'part', sent: 'no HTTP\r\n\r\n' };
    expect(await exchange(`GET /door/begun HTTP/1.1\r\nHost: h\r\n\r\n`, then)).toMatch(/\r\n\r\npart$/);
    expect(door.broken).toHaveLength(1);
  });

  it('leaves them to the API where it has no answer under way', async () => {
    door.breakOff = () => false;
    const then = { after: 'part', sent: 'no HTTP\r\n\r\n' };
    const received = await exchange(`GET /api/begun HTTP/1.1\r\nHost: h\r\n\r\n`, then);
    expect(received).toMatch(/part[^]*400 Of The Api/);
    expect(await exchange('no HTTP\r\n\r\n')).toMatch(/^HTTP\/1.1 400 Of The Api/);
  });
});

describe('no front door', () => {
  it('takes nothing', () => {
    const doors = new FrontDoors();
    expect(doors.of({ url: '/door' } as IncomingMessage)).toBeUndefined();
    expect(doors.breakOff({} as Socket)).toBe(false);
  });
});
