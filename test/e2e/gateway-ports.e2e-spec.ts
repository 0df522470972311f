import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import type { ServerResponse } from 'node:http';
import { pino } from 'pino';
import { closeGatewayServer, createGatewayServer } from '../../src/modules/gateway/proxy/gateway-server';
import { exchangeBytes, KEY, type Listening, Rig, serveHttp, until } from './gateway-front.harness';

const HEAD = `Host: h\r\nX-API-Key: ${KEY}\r\n`;

describe('one front', () => {
  let upstream: Listening;
  let asked: string[];
  let waiting: ServerResponse;

  beforeAll(async () => {
    upstream = await serveHttp(({ url = '' }, response) => {
      asked.push(url);
      if (url === '/begun') response.writeHead(200, { 'content-length': '8' }).write('part');
      else if (url === '/whole') response.end('whole');
      else waiting = response;
    });
  });

  afterAll(() => upstream.close());

  beforeEach(() => {
    asked = [];
  });

  it('watches the exchanges of one port after another was closed', async () => {
    const rig = await new Rig([upstream.url], { traffic: { bodyIdleMs: 200 } }).open();
    const other = createGatewayServer(rig.front, { logger: pino({ level: 'silent' }), securityHeaders: {} });
    await once(other.listen(0, '127.0.0.1'), 'listening');
    const received = exchangeBytes((other.address() as AddressInfo).port, `GET /begun HTTP/1.1\r\n${HEAD}\r\n`);
    await until(() => rig.front.openExchanges === 1 && asked.length === 1);
    expect(await closeGatewayServer(rig.server, rig.front, 10_000)).toBe(true);
    expect(await received).toMatch(/\r\n\r\npart$/); // its upstream has fallen silent: somebody must notice
    expect(rig.balancer.told).toMatchObject([{ failures: ['timeout'], releases: 1 }]);
    await closeGatewayServer(other, rig.front, 10_000);
    rig.front.close();
    await rig.balancer.close();
  });

  it('breaks off the answer that a connection gets, whatever was asked for on it since', async () => {
    const rig = await new Rig([upstream.url]).open();
    const neighbour = exchangeBytes(rig.port, `GET /waits HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`);
    await until(() => asked.includes('/waits'));
    const socket = connect(rig.port, '127.0.0.1');
    let received = '';
    const closed = once(socket, 'close');
    socket.on('error', () => undefined).on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
    socket.write(`GET /begun HTTP/1.1\r\n${HEAD}\r\nGET /whole HTTP/1.1\r\n${HEAD}\r\n`);
    await until(() => received.endsWith('part') && asked.includes('/whole'));
    socket.write('no HTTP\r\n\r\n');
    await closed;
    expect(received).toMatch(/^HTTP\/1.1 200 [^]*\r\n\r\npart$/);
    expect(received.match(/HTTP\/1.1 /g)).toHaveLength(1);
    await rig.untilEnded(2);
    waiting.end('in peace');
    expect(await neighbour).toMatch(/in peace$/);
    await rig.close();
  });

  it('answers bytes that are no HTTP where it gives no answer at the moment', async () => {
    const rig = await new Rig([upstream.url]).open();
    const bytes = `GET /whole HTTP/1.1\r\n${HEAD}\r\n`;
    const socket = connect(rig.port, '127.0.0.1', () => socket.write(bytes));
    let received = '';
    const closed = once(socket, 'close');
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
    });
    await rig.untilEnded(1);
    socket.write('no HTTP\r\n\r\n');
    await closed;
    expect(received.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
    await rig.close();
  });
});
