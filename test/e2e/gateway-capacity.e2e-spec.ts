import { once } from 'node:events';
import type { LookupAddress } from 'node:dns';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Pool } from 'undici';
import type { PoolLimits } from '../../src/modules/gateway/balance/upstream-pools';
import type { GatewayRoute } from '../../src/modules/gateway/gateway-route';
import {
  exchangeBytes,
  KEY,
  type Listening,
  type NotingBalancer,
  Rig,
  serveHttp,
  TENANT,
  until,
} from './gateway-front.harness';

const HEAD = `Host: h\r\nX-API-Key: ${KEY}\r\n`;
const GET = `GET / HTTP/1.1\r\n${HEAD}\r\n`;
const CLOSING = `GET / HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`;
const UPGRADE = `GET / HTTP/1.1\r\n${HEAD}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
const statusOf = (received: string): number => Number(received.slice(9, 12));

describe('a gateway with as much under way as it may have', () => {
  const opened: { close(): Promise<void> }[] = [];
  let resolve: (hostname: string) => Promise<LookupAddress[]>;
  let balancer: NotingBalancer;

  beforeEach(() => {
    resolve = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
  });
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });

  const rigFor = async (urls: string[], limits: Partial<PoolLimits> = {}, route: Partial<GatewayRoute> = {}) => {
    const egress = { mayConnect: () => true, resolve: (hostname: string) => resolve(hostname) };
    const rig = await new Rig(urls, { egress, limits, route }).open();
    opened.unshift(rig);
    ({ balancer } = rig);
    return rig;
  };
  const upstreamOf = async (handler: Parameters<typeof serveHttp>[0]): Promise<Listening> => {
    const upstream = await serveHttp(handler);
    opened.push(upstream);
    return upstream;
  };
  const closedUrl = async (): Promise<string> => {
    const upstream = await serveHttp(() => undefined);
    await upstream.close();
    return upstream.url;
  };
  const targetOf = (url: string) => balancer.targets.of(TENANT, url);
  const poolOf = (url: string) => balancer.pools.of(TENANT, new URL(url));
  const queuedAt = (url: string) => (poolOf(url).dispatcher as Pool).stats.queued;
  const send = (port: number, head: string): Socket =>
    connect(port, '127.0.0.1', function (this: Socket) {
      this.write(head);
    }).on('error', () => undefined);

  it('lets nothing wait for a connection: what is more is 503, and nothing is held against the upstream', async () => {
    const silent = await upstreamOf(() => undefined);
    const rig = await rigFor([silent.url], { connections: 4 });
    const holding = [1, 2, 3, 4].map(() => send(rig.port, GET));
    await until(() => targetOf(silent.url).inFlight === 4);
    for (let i = 0; i < 50; i += 1) {
      expect(statusOf(await exchangeBytes(rig.port, CLOSING))).toBe(503);
      expect(queuedAt(silent.url)).toBe(0);
    }
    expect(targetOf(silent.url).health).toMatchObject({ isWell: true, failuresInARow: 0 });
    for (const socket of holding) socket.destroy();
    await until(() => targetOf(silent.url).inFlight === 0);
  });

  it.each([
    ['a request whose client left', GET, 10_000],
    ['a WebSocket that took too long', UPGRADE, 50],
  ])('counts %s before its connection stood, until that has come about', async (_what, head, timeoutMs) => {
    const names: (() => void)[] = [];
    resolve = () => new Promise((known) => names.push(() => known([{ address: '127.0.0.1', family: 4 }])));
    const upstream = await upstreamOf((_incoming, response) => void response.end('well'));
    const url = `http://slow.test:${upstream.port}`;
    const rig = await rigFor([url], { connections: 4 }, { timeoutMs });
    for (let i = 1; i <= 4; i += 1) {
      const socket = send(rig.port, head);
      await until(() => targetOf(url).inFlight === i);
      if (head === GET) socket.destroy();
      await rig.untilEnded(i);
      socket.destroy();
    }
    expect(targetOf(url).inFlight).toBe(4);
    for (let i = 0; i < 20; i += 1) expect(statusOf(await exchangeBytes(rig.port, CLOSING))).toBe(503);
    expect(queuedAt(url)).toBeLessThanOrEqual(4);
    await until(() => names.length === 4);
    for (const tell of names) tell();
    await until(() => targetOf(url).inFlight === 0 && poolOf(url).inFlight === 0);
    resolve = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
    expect(statusOf(await exchangeBytes(rig.port, CLOSING))).toBe(200);
  });

  it('is 503 where its tenant has as much under way as it may have, though the upstreams could take more', async () => {
    const silent = [
      await upstreamOf(() => undefined),
      await upstreamOf(() => undefined),
      await upstreamOf(() => undefined),
    ];
    const urls = silent.map(({ url }) => url);
    const rig = await rigFor(urls, { connections: 2, ofTenant: 4 });
    const holding = [GET, UPGRADE, GET].map((head) => send(rig.port, head));
    await until(() => targetOf(urls[1]!).inFlight === 1);
    holding.push(send(rig.port, UPGRADE));
    await until(() => targetOf(urls[1]!).inFlight === 2);
    for (const head of [CLOSING, UPGRADE]) {
      const received = await exchangeBytes(rig.port, head);
      expect([statusOf(received), received.includes('"NO_HEALTHY_UPSTREAM"')]).toEqual([503, true]);
    }
    expect(urls.map((url) => targetOf(url).inFlight)).toEqual([2, 2, 0]);
    expect(urls.map((url) => targetOf(url).health.isWell)).toEqual([true, true, true]);
    holding[0]?.destroy();
    await until(() => targetOf(urls[0]!).inFlight === 1);
    holding.push(send(rig.port, GET));
    await until(() => targetOf(urls[0]!).inFlight === 2);
    for (const socket of holding) socket.destroy();
  });

  it('is 503 where this machine can open no more connections, and nothing is held against the upstream', async () => {
    const upstream = await upstreamOf((_incoming, response) => void response.end('well'));
    const url = `http://some.test:${upstream.port}`;
    const rig = await rigFor([url]);
    resolve = () => Promise.reject(Object.assign(new Error('connect EMFILE'), { code: 'EMFILE' }));
    for (let i = 0; i < 10; i += 1) {
      const received = await exchangeBytes(rig.port, i % 2 === 0 ? CLOSING : UPGRADE);
      expect([statusOf(received), received.includes('"NO_HEALTHY_UPSTREAM"')]).toEqual([503, true]);
    }
    expect(balancer.told.map(({ failures, releases }) => [failures, releases])).toEqual(Array(10).fill([[], 1]));
    expect(targetOf(url)).toMatchObject({ inFlight: 0, health: { isWell: true, failuresInARow: 0 } });
    resolve = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
    expect(statusOf(await exchangeBytes(rig.port, CLOSING))).toBe(200);
  });

  it('goes to an upstream with an open connection where no other can be opened, whatever the method', async () => {
    const upstream = await upstreamOf((incoming, response) => {
      incoming.resume();
      response.end('well');
    });
    const url = `http://some.test:${upstream.port}`;
    const rig = await rigFor([url, upstream.url]);
    resolve = () => Promise.reject(Object.assign(new Error('connect EMFILE'), { code: 'EMFILE' }));
    const post = `POST / HTTP/1.1\r\n${HEAD}Content-Length: 4\r\nConnection: close\r\n\r\nbody`;
    expect(statusOf(await exchangeBytes(rig.port, post))).toBe(200);
    expect(balancer.told.map(({ failures }) => failures)).toEqual([[], []]);
  });

  it('answers ordinary requests beside 200 open streams', async () => {
    const upstream = await upstreamOf((incoming, response) => {
      if (incoming.url !== '/events') return void response.end('well');
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
    });
    const rig = await rigFor([upstream.url], {}, { timeoutMs: 2_000 });
    const agent = new Agent({ maxSockets: 1_000 });
    const headers = { 'x-api-key': KEY };
    const streams = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const call = request({ port: rig.port, path: '/events', headers, agent }).on('error', () => undefined);
        const [answer] = (await once(call.end(), 'response')) as [IncomingMessage];
        answer.on('error', () => undefined).resume();
        return call;
      }),
    );
    const answers = await Promise.all(Array.from({ length: 50 }, () => exchangeBytes(rig.port, CLOSING)));
    expect(answers.map(statusOf)).toEqual(Array(50).fill(200));
    expect(targetOf(upstream.url)).toMatchObject({ inFlight: 200, health: { isWell: true, failuresInARow: 0 } });
    for (const stream of streams) stream.destroy();
    await until(() => targetOf(upstream.url).inFlight === 0);
  });

  it.each([
    ['GET', '', ''],
    ['POST', '', ''],
    ['POST', 'Content-Length: 4\r\n', 'body'],
    ['PUT', 'Transfer-Encoding: chunked\r\n', '4\r\nbody\r\n0\r\n\r\n'],
  ])(
    'fails none of 64 at once (%s %j) where one of two upstreams is gone, without retries',
    async (method, more, body) => {
      const received: string[] = [];
      const good = await upstreamOf((incoming, response) => {
        let text = '';
        incoming.on('data', (chunk: Buffer) => (text += chunk.toString()));
        incoming.on('end', () => {
          received.push(`${incoming.method} ${text}`);
          response.end('well');
        });
      });
      const rig = await rigFor([await closedUrl(), good.url], {}, { strategy: 'round-robin' });
      const sent = `${method} / HTTP/1.1\r\n${HEAD}${more}Connection: close\r\n\r\n${body}`;
      const answers = await Promise.all(Array.from({ length: 64 }, () => exchangeBytes(rig.port, sent)));
      expect(answers.map(statusOf)).toEqual(Array(64).fill(200));
      expect(received).toEqual(Array(64).fill(`${method} ${body === '' ? '' : 'body'}`));
      expect(Math.max(...rig.ended.map(({ attempts }) => attempts))).toBe(2);
    },
  );

  it('asks each upstream once where none can be reached', async () => {
    const urls = [await closedUrl(), await closedUrl(), await closedUrl()];
    const rig = await rigFor(urls);
    expect(statusOf(await exchangeBytes(rig.port, CLOSING))).toBe(502);
    expect((await rig.untilEnded(1)).attempts).toBe(3);
    expect(urls.map((url) => [targetOf(url).health.failuresInARow, targetOf(url).inFlight])).toEqual(
      Array(3).fill([1, 0]),
    );
  });

  it('goes to another upstream where a connection takes too long, and the body goes there alone', async () => {
    const names: (() => void)[] = [];
    resolve = () => new Promise((known) => names.push(() => known([{ address: '127.0.0.1', family: 4 }])));
    const bodies: string[] = [];
    const good = await upstreamOf((incoming, response) => {
      let text = '';
      incoming.on('data', (chunk: Buffer) => (text += chunk.toString()));
      incoming.on('end', () => {
        bodies.push(text);
        response.end('well');
      });
    });
    const late = `http://late.test:${good.port}`;
    const rig = await rigFor([late, good.url], {}, { timeoutMs: 200 });
    const sent = `POST / HTTP/1.1\r\n${HEAD}Content-Length: 4\r\nConnection: close\r\n\r\n`;
    const socket = send(rig.port, sent);
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
    await until(() => targetOf(good.url).inFlight === 1);
    for (const tell of names) tell(); // the first connection comes about while the body is still to come
    await until(() => targetOf(late).inFlight === 0);
    socket.write('body');
    await once(socket, 'close');
    expect([statusOf(answer), bodies]).toEqual([200, ['body']]);
    expect(targetOf(late).health.failuresInARow).toBe(1);
  });
});
