import { once } from 'node:events';
import { type IncomingMessage, request, type RequestListener, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { exchangeBytes, KEY, type Listening, Rig, serveHttp, serveSockets, until } from './gateway-front.harness';

const HEAD = `Host: h\r\nX-API-Key: ${KEY}\r\n`;
const get = (method = 'GET', more = ''): string => `${method} / HTTP/1.1\r\n${HEAD}${more}Connection: close\r\n\r\n`;
const statusOf = (received: string): number => Number(received.slice(9, 12));

describe('an upstream that fails', () => {
  const opened: { close(): Promise<void> }[] = [];

  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });

  const rigFor = async (urls: string[], options: ConstructorParameters<typeof Rig>[1] = {}): Promise<Rig> => {
    const rig = await new Rig(urls, options).open();
    opened.unshift(rig);
    return rig;
  };
  const upstreamOf = async (handler: RequestListener): Promise<Listening> => {
    const upstream = await serveHttp(handler);
    opened.push(upstream);
    return upstream;
  };
  const resetting = async (): Promise<Listening & { asked(): number }> => {
    let asked = 0;
    const upstream = await serveSockets((socket) => {
      socket.on('data', () => {
        asked += 1;
        socket.resetAndDestroy();
      });
    });
    opened.push(upstream);
    return { ...upstream, asked: () => asked };
  };
  const closedUrl = async (): Promise<string> => {
    const upstream = await serveHttp(() => undefined);
    await upstream.close();
    return upstream.url;
  };

  it('is 502 when it cannot be reached, without a word of where it is', async () => {
    const url = await closedUrl();
    const rig = await rigFor([url]);
    const received = await exchangeBytes(rig.port, get());
    expect([statusOf(received), received.includes('"BAD_GATEWAY"')]).toEqual([502, true]);
    expect(received).not.toContain(new URL(url).port);
    expect(rig.balancer.told).toEqual([{ url, statuses: [], failures: ['unreachable'], releases: 1 }]);
    expect(await rig.untilEnded(1)).toMatchObject({ status: 502, upstreamMs: null, attempts: 1 });
  });

  it('is 502 with a body too, which the client may still be sending', async () => {
    const rig = await rigFor([await closedUrl()]);
    const received = await exchangeBytes(
      rig.port,
      `POST / HTTP/1.1\r\n${HEAD}Content-Length: 500000\r\n\r\n${'a'.repeat(100_000)}`,
    );
    expect(statusOf(received)).toBe(502);
    expect(received.toLowerCase()).toContain('connection: close');
  });

  it('is 504 when its head takes longer than the route allows, and is let go of', async () => {
    const gone: Promise<unknown>[] = [];
    const slow = await upstreamOf((incoming) => void gone.push(once(incoming.socket, 'close')));
    const rig = await rigFor([slow.url], { route: { timeoutMs: 50 } });
    const received = await exchangeBytes(rig.port, get());
    expect([statusOf(received), received.includes('"GATEWAY_TIMEOUT"')]).toEqual([504, true]);
    expect(rig.balancer.told).toMatchObject([{ failures: ['timeout'], releases: 1 }]);
    await Promise.all(gone);
  });

  it('is not blamed for a client that stops in the middle of its body', async () => {
    const waiting = await upstreamOf((incoming, response) => void incoming.resume().on('end', () => response.end()));
    const rig = await rigFor([waiting.url], { route: { timeoutMs: 1500 }, traffic: { bodyIdleMs: 3500 } });
    const received = await exchangeBytes(rig.port, `POST / HTTP/1.1\r\n${HEAD}Content-Length: 5\r\n\r\nab`);
    expect([statusOf(received), received.includes('"REQUEST_TIMEOUT"')]).toEqual([408, true]);
    expect(rig.balancer.told).toMatchObject([{ failures: [], releases: 1 }]);
  });

  it('cuts the client off when it dies or falls silent in the middle of its answer', async () => {
    const dying = await upstreamOf((incoming, response) => {
      response.writeHead(200).write('part');
      if (incoming.url === '/dies') response.socket?.destroySoon();
    });
    const rig = await rigFor([dying.url], { traffic: { bodyIdleMs: 1500 } });
    for (const path of ['/dies', '/silent']) {
      const received = await exchangeBytes(rig.port, `GET ${path} HTTP/1.1\r\n${HEAD}\r\n`);
      expect(received).toMatch(/\r\n\r\n4\r\npart\r\n$/);
    }
    expect(rig.balancer.told).toMatchObject([
      { statuses: [200], failures: ['broken'], releases: 1 },
      { statuses: [200], failures: ['timeout'], releases: 1 },
    ]);
  });

  it('is reset for an HTTP/1.0 client, for which a plain end would be the end of the answer', async () => {
    const dying = await upstreamOf((_incoming, response) => {
      response.writeHead(200).write('part', () => response.socket?.destroy());
    });
    const rig = await rigFor([dying.url]);
    const socket = connect(rig.port, '127.0.0.1', () => socket.write(`GET / HTTP/1.0\r\n${HEAD}\r\n`));
    socket.resume();
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
  });

  it.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])(
    'is asked no more for %s where another answers',
    async (method) => {
      const [bad, refused] = [await resetting(), await closedUrl()];
      const busy = await upstreamOf((_incoming, response) => void response.writeHead(503).end('busy'));
      const good = await upstreamOf((_incoming, response) => void response.end('good'));
      const rig = await rigFor([bad.url, refused, busy.url, good.url], { route: { retries: 3 } });
      expect(statusOf(await exchangeBytes(rig.port, get(method)))).toBe(200);
      expect(rig.balancer.told).toEqual([
        { url: bad.url, statuses: [], failures: ['unreachable'], releases: 1 },
        { url: refused, statuses: [], failures: ['unreachable'], releases: 1 },
        { url: busy.url, statuses: [503], failures: [], releases: 1 },
        { url: good.url, statuses: [200], failures: [], releases: 1 },
      ]);
      expect(await rig.untilEnded(1)).toMatchObject({ status: 200, attempts: 4 });
    },
  );

  it('has its retry still where others could not be reached before it', async () => {
    const busy = await upstreamOf((_incoming, response) => void response.writeHead(503).end('busy'));
    const good = await upstreamOf((_incoming, response) => void response.end('good'));
    const refused = [await closedUrl(), await closedUrl(), await closedUrl()];
    const rig = await rigFor([...refused, busy.url, good.url], { route: { retries: 1 } });
    expect(statusOf(await exchangeBytes(rig.port, get()))).toBe(200);
    expect(await rig.untilEnded(1)).toMatchObject({ status: 200, attempts: 5 });

    const asked: string[] = [];
    const other = await upstreamOf((_incoming, response) => void (asked.push('other'), response.writeHead(502).end()));
    const strict = await rigFor([busy.url, refused[0] as string, other.url, good.url], { route: { retries: 1 } });
    expect(statusOf(await exchangeBytes(strict.port, get()))).toBe(503);
    expect([asked, (await strict.untilEnded(1)).attempts]).toEqual([['other'], 3]);
  });

  it('gives its own answer where the retries or the upstreams are used up', async () => {
    const busy = await upstreamOf((_incoming, response) => void response.writeHead(503, { 'x-own': '1' }).end('busy'));
    const never = await upstreamOf((_incoming, response) => void response.end('never'));
    const alone = await rigFor([busy.url], { route: { retries: 5 } });
    expect(await exchangeBytes(alone.port, get())).toMatch(/^HTTP\/1.1 503 [^]*x-own: 1[^]*busy/);
    const noRetries = await rigFor([busy.url, never.url]);
    expect(await exchangeBytes(noRetries.port, get())).toMatch(/^HTTP\/1.1 503 [^]*busy/);
    expect(noRetries.balancer.told).toHaveLength(1);
  });

  it.each([
    ['POST', ''],
    ['PATCH', ''],
    ['PUT', 'Content-Length: 2\r\n'],
    ['GET', 'Content-Length: 2\r\n'],
  ])('gets a %s once and never again (%j)', async (method, more) => {
    const bad = await resetting();
    const other = await upstreamOf((_incoming, response) => void response.end('other'));
    const rig = await rigFor([bad.url, other.url], { route: { retries: 3 } });
    const received = await exchangeBytes(rig.port, `${get(method, more)}${more === '' ? '' : 'ab'}`);
    expect([statusOf(received), bad.asked(), rig.balancer.told.length]).toEqual([502, 1, 1]);
  });

  it('is let go of at once when the client leaves, before the head and in the middle of the answer', async () => {
    const gone: string[] = [];
    const responses: ServerResponse[] = [];
    const slow = await upstreamOf((incoming, response) => {
      responses.push(response);
      if (incoming.url === '/middle') response.writeHead(200).write('part');
      incoming.socket.on('close', () => gone.push(incoming.url ?? ''));
    });
    const rig = await rigFor([slow.url]);
    for (const path of ['/head', '/middle']) {
      const call = request({ port: rig.port, path, headers: { 'x-api-key': KEY } }).on('error', () => undefined);
      call.end();
      if (path === '/middle') await once((await once(call, 'response'))[0] as IncomingMessage, 'data');
      else await until(() => responses.length === 1);
      call.destroy();
      await until(() => gone.includes(path));
    }
    await rig.untilEnded(2);
    expect(rig.ended.map(({ status }) => status)).toEqual([499, 200]);
    expect(rig.balancer.told).toMatchObject([
      { failures: [], releases: 1 },
      { failures: [], releases: 1 },
    ]);
  });

  it('is let go of when a client leaves that has asked for more over the same connection', async () => {
    let open = 0;
    const slow = await upstreamOf((incoming) => {
      open += 1;
      incoming.socket.on('close', () => (open -= 1));
    });
    const rig = await rigFor([slow.url]);
    const socket = connect(rig.port, '127.0.0.1', () => socket.write(`GET / HTTP/1.1\r\n${HEAD}\r\n`.repeat(3)));
    await until(() => open === 3);
    socket.destroy();
    await rig.untilEnded(3);
    await until(() => open === 0);
    expect(rig.front.openExchanges).toBe(0);
  });

  it.each(['destroy', 'resetAndDestroy'] as const)(
    'is let go of at once when a client leaves (%s) that has asked for a WebSocket',
    async (leave) => {
      const asked: Socket[] = [];
      const silent = await serveSockets((socket) => void socket.once('data', () => asked.push(socket)));
      opened.push(silent);
      const rig = await rigFor([silent.url]);
      const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
      const socket = connect(rig.port, '127.0.0.1', () => socket.write(`GET / HTTP/1.1\r\n${HEAD}${upgrade}\r\n`));
      await until(() => asked.length === 1);
      socket[leave]();
      expect(await rig.untilEnded(1)).toMatchObject({ status: 499 });
      await until(() => silent.sockets.size === 0);
      expect(rig.balancer.told).toMatchObject([{ failures: [], releases: 1 }]);
    },
  );

  it('sees a body end without its end when the client leaves in the middle of it', async () => {
    const ends: string[] = [];
    const reading = await upstreamOf((incoming) => {
      ends.push('begun');
      incoming.resume();
      incoming.on('error', () => ends.push('broken')).on('end', () => ends.push('whole'));
    });
    const rig = await rigFor([reading.url]);
    const socket: Socket = connect(rig.port, '127.0.0.1');
    socket.write(`POST / HTTP/1.1\r\n${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n`);
    await until(() => ends.length === 1);
    socket.destroy();
    await rig.untilEnded(1);
    await until(() => ends.length === 2);
    expect([ends, rig.ended[0]?.status, rig.balancer.told[0]?.failures]).toEqual([['begun', 'broken'], 499, []]);
  });

  it('may answer before the body is there, and the connection ends with that', async () => {
    const early = await upstreamOf((_incoming, response) => void response.writeHead(413).end('enough'));
    const rig = await rigFor([early.url]);
    const sent = `POST / HTTP/1.1\r\n${HEAD}Content-Length: 10000000\r\n\r\n${'a'.repeat(200_000)}`;
    const received = await exchangeBytes(rig.port, sent);
    expect(received).toMatch(/^HTTP\/1.1 413 [^]*connection: close/i);
    expect(received).toContain('enough');
  });

  it('may answer before a small body is there, and the connection goes on after that', async () => {
    const early = await serveSockets((socket) => {
      socket.on('data', (chunk: Buffer) => {
        const isGet = chunk.toString('latin1').startsWith('GET');
        if (isGet) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood');
        else if (chunk.includes('\r\n\r\n')) socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 6\r\n\r\nenough');
      });
    });
    opened.push(early);
    const rig = await rigFor([early.url]);
    const socket = connect(rig.port, '127.0.0.1');
    let received = '';
    const closed = once(socket, 'close');
    socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
    socket.write(`POST / HTTP/1.1\r\n${HEAD}Content-Length: 6\r\n\r\nabc`);
    await until(() => received.endsWith('enough'));
    await until(() => early.sockets.size === 0); // the gateway lets go of an upstream that took only half of a body
    socket.write(`def${get()}`);
    await closed;
    expect(received.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 200']);
    expect(received).toMatch(/good$/);
  });
});
