import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { makeKey } from '../support/api-keys';
import { startTestApp } from '../support/running-app';
import { exchangeBytes, KEY, type Listening, Rig, serveHttp, until } from './gateway-front.harness';

const HEAD = `Host: h\r\nX-API-Key: ${KEY}\r\n`;
const asking = (path: string, head = HEAD): string =>
  `GET ${path} HTTP/1.1\r\n${head}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
const UPGRADE = asking('/ws');
const OPENED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
/** More than sockets hold. */
const LARGE_BYTES = 4 * 1024 * 1024;
const PIECES = 20;

function answer({ url }: IncomingMessage, response: ServerResponse): void {
  if (url === '/small') response.end('small');
  else if (url === '/large') response.end(Buffer.alloc(LARGE_BYTES, 'l'));
  else if (url === '/broken') response.writeHead(200, { 'content-length': '9' }).write('part');
  else {
    let sent = 0;
    const timer = setInterval(() => {
      response.write('.');
      sent += 1;
      if (sent === PIECES && url === '/slow') response.end();
    }, 10);
    response.on('close', () => clearInterval(timer));
  }
}

/** Says what comes, after a word of its own. */
function echo(socket: Duplex): void {
  socket.write(`${OPENED}hello `);
  socket.on('error', () => undefined).pipe(socket);
}

describe('a WebSocket that is asked for before the answer to the request before it is there', () => {
  let upstream: Listening;
  let rig: Rig;
  let refuses = false;

  beforeEach(async () => {
    upstream = await serveHttp(answer, echo);
    let taken = 0;
    rig = await new Rig([upstream.url], {
      traffic: { bodyIdleMs: 100, eventIdleMs: 10_000, sweepMs: 20 },
      limit: () => ({ allowed: (taken += 1) === 1 || !refuses, limit: 1, remaining: 0, resetS: 7 }),
    }).open();
  });
  afterEach(async () => {
    refuses = false;
    await rig.close();
    await upstream.close();
  });

  const get = (path: string, close = ''): string => `GET ${path} HTTP/1.1\r\n${HEAD}${close}\r\n`;
  const chunked = /^HTTP\/1.1 200 [^]*?\r\n\r\n((?:1\r\n\.\r\n)+)0\r\n\r\n/;
  /** What followed the first answer, which was whole. */
  const afterSlow = (received: string): string => {
    const [whole = '', pieces = ''] = chunked.exec(received) ?? [];
    expect(pieces.length).toBe(PIECES * '1\r\n.\r\n'.length);
    return received.slice(whole.length);
  };

  it('waits for its turn, with what was sent after it', async () => {
    const received = await exchangeBytes(rig.port, `${get('/slow')}${UPGRADE}early`, /hello early$/);
    expect(afterSlow(received)).toMatch(/^HTTP\/1.1 101 [^]*\r\n\r\nhello early$/);
    expect(rig.balancer.told.map(({ failures, statuses }) => [failures, statuses])).toEqual([
      [[], [200]],
      [[], [101]],
    ]);
  });

  it('waits for several, in their order, also for one that is larger than what is held of it', async () => {
    const sent = `${get('/slow')}${get('/large')}${get('/small')}${UPGRADE}`;
    const after = afterSlow(await exchangeBytes(rig.port, sent, /hello $/));
    const heads = [...after.matchAll(/HTTP\/1.1 (\d+) /g)].map(([, status]) => status);
    expect(heads).toEqual(['200', '200', '101']);
    expect(after.slice(after.indexOf('l'.repeat(1_000))).search(/[^l]/)).toBe(LARGE_BYTES);
    expect(after).toMatch(/\r\n\r\nsmallHTTP\/1.1 101 [^]*\r\n\r\nhello $/);
  });

  it('is refused in its turn', async () => {
    refuses = true;
    const after = afterSlow(await exchangeBytes(rig.port, `${get('/slow')}${UPGRADE}`));
    expect(after).toMatch(/^HTTP\/1.1 429 [^]*"code":"RATE_LIMITED"[^]*}$/);
  });

  it('is not answered where the one before it breaks off, or is the last on its connection', async () => {
    const broken = await exchangeBytes(rig.port, `${get('/broken')}${UPGRADE}`);
    expect(broken).toMatch(/^HTTP\/1.1 200 [^]*\r\n\r\npart$/);
    rig.front.drain();
    const last = await exchangeBytes(rig.port, `${get('/slow')}${UPGRADE}`);
    expect(afterSlow(last)).toBe('');
    expect(rig.balancer.told.flatMap(({ statuses }) => statuses)).toEqual([200, 200]);
  });

  it('leaves nothing behind where its client leaves meanwhile', async () => {
    const socket = connect(rig.port, '127.0.0.1', () => socket.write(`${get('/endless')}${UPGRADE}`));
    await until(() => rig.balancer.told[0]?.statuses.length === 1);
    socket.end();
    await rig.untilEnded(1);
    expect(rig.front.openExchanges).toBe(0);
    await until(() => rig.balancer.told[0]?.releases === 1);
    expect(rig.balancer.told).toHaveLength(1);
  });

  it('is as patient as a connection that is to become a tunnel to anywhere, which is refused in its turn', async () => {
    const received = await exchangeBytes(rig.port, `${get('/slow')}CONNECT h:443 HTTP/1.1\r\n${HEAD}\r\n`);
    expect(afterSlow(received)).toMatch(/^HTTP\/1.1 405 [^]*"code":"METHOD_NOT_ALLOWED"[^]*}$/);
  });

  it('waits for an answer of the API too, on its port', async () => {
    const app = await startTestApp({ config: { GATEWAY_ALLOWED_CIDRS: '127.0.0.0/8' } });
    try {
      const { http } = await app.login('TENANT_ADMIN');
      const route = { path: '/ws', path_type: 'exact', upstreams: [{ url: upstream.url }] };
      expect((await http.post('/gateway/routes', route)).status).toBe(201);
      const head = `Host: h\r\nX-API-Key: ${(await makeKey(app, http)).key}\r\n`;
      const sent = `GET /api/docs-json HTTP/1.1\r\nHost: h\r\n\r\n${asking('/ws', head)}`;
      const received = await exchangeBytes(Number(new URL(app.url).port), sent, /hello $/);
      const [first = '', second = ''] = received.split(/(?=HTTP\/1.1 101 )/);
      const length = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(first)?.[1]);
      expect(first.slice(first.indexOf('\r\n\r\n') + 4)).toHaveLength(length);
      expect(second).toMatch(/^HTTP\/1.1 101 [^]*\r\n\r\nhello $/);
    } finally {
      await app.close();
    }
  });
});
