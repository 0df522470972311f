import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { exchangeBytes, KEY, type Listening, Rig, serveHttp, until } from './gateway-front.harness';

const HEAD = `Host: h\r\nX-API-Key: ${KEY}\r\n`;
const PIECES = 30;
const PIECE_MS = 20;
/** All shorter than the first answer takes. */
const TRAFFIC = { bodyIdleMs: 100, eventIdleMs: 100, lingerMs: 100, sweepMs: 20 };

/** `data: 0` to `data: 29`, one every 20 ms. */
function stream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let sent = 0;
  const timer = setInterval(() => {
    response.write(`data: ${sent}\n\n`);
    sent += 1;
    if (sent < PIECES) return;
    clearInterval(timer);
    response.end();
  }, PIECE_MS);
  response.on('close', () => clearInterval(timer));
}

function answer({ url }: IncomingMessage, response: ServerResponse): void {
  if (url === '/events') stream(response);
  else if (url === '/small') response.end('small');
  else if (url === '/open') response.write('open', () => response.end());
  else response.writeHead(200, { 'content-length': '9' }).write('part', () => url === '/broken' && response.destroy());
}

describe('a request that was sent before the answer to the one before it was there', () => {
  let upstream: Listening;
  let rig: Rig;
  let refuses = false;

  beforeEach(async () => {
    upstream = await serveHttp(answer);
    let taken = 0;
    rig = await new Rig([upstream.url], {
      traffic: TRAFFIC,
      limit: () => ({ allowed: (taken += 1) === 1 || !refuses, limit: 1, remaining: 0, resetS: 7 }),
    }).open();
  });
  afterEach(async () => {
    refuses = false;
    await rig.close();
    await upstream.close();
  });

  /** What came after the first answer, which was whole. */
  const afterEvents = async (second: string): Promise<string> => {
    const received = await exchangeBytes(rig.port, `GET /events HTTP/1.1\r\n${HEAD}\r\n${second}`);
    const events = [...received.matchAll(/data: (\d+)\n\n/g)].map(([, n]) => Number(n));
    expect(events).toEqual(Array.from({ length: PIECES }, (_, n) => n));
    const wholeAt = received.indexOf('\r\n0\r\n\r\n');
    expect(wholeAt).toBeGreaterThan(0);
    return received.slice(wholeAt + 7);
  };

  it('waits for its turn however long that is, and the answer before it goes on', async () => {
    const after = await afterEvents(`GET /small HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`);
    expect(after).toMatch(/^HTTP\/1.1 200 [^]*\r\n\r\nsmall$/);
    expect(rig.balancer.told.map(({ failures }) => failures)).toEqual([[], []]);
  });

  it('is refused in its turn while its body still comes, which is read for a moment only then', async () => {
    refuses = true;
    const after = await afterEvents(`POST /small HTTP/1.1\r\n${HEAD}Content-Length: 100000\r\n\r\nnot all of it`);
    expect(after).toMatch(/^HTTP\/1.1 429 [^]*connection: close\r\n[^]*"code":"RATE_LIMITED"[^]*}$/i);
  });

  it('ends the connection in its turn where its answer broke off', async () => {
    expect(await afterEvents(`GET /broken HTTP/1.1\r\n${HEAD}\r\n`)).toBe('');
    expect(rig.balancer.told.map(({ failures }) => failures)).toEqual([[], ['broken']]);
    await rig.untilEnded(2);
  });

  it('may have an answer without a length before its body is there', async () => {
    const after = await afterEvents(`POST /open HTTP/1.1\r\n${HEAD}Content-Length: 9\r\n\r\nbody`);
    expect(after).toMatch(/^HTTP\/1.1 200 [^]*\r\n\r\n4\r\nopen\r\n0\r\n\r\n$/);
  });

  it('has its own times once its turn has come', async () => {
    const after = await afterEvents(`GET /silent HTTP/1.1\r\n${HEAD}\r\n`);
    expect(after).toMatch(/^HTTP\/1.1 200 [^]*\r\n\r\npart$/);
    expect(rig.balancer.told.map(({ failures }) => failures)).toEqual([[], ['timeout']]);
  });

  it('is over when its client leaves, after its answer broke off too', async () => {
    const socket = connect(rig.port, '127.0.0.1');
    const body = `Content-Length: 900000\r\n\r\n${'b'.repeat(300_000)}`;
    socket.write(`GET /events HTTP/1.1\r\n${HEAD}\r\nPOST /broken HTTP/1.1\r\n${HEAD}${body}`);
    await until(() => rig.balancer.told[1]?.failures.length === 1);
    socket.destroy();
    await rig.untilEnded(2);
    expect(rig.front.openExchanges).toBe(0);
  });
});
