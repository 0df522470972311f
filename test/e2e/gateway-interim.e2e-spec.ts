import { once } from 'node:events';
import { request, ServerResponse, type IncomingMessage, type InformationEvent } from 'node:http';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { exchangeBytes, KEY, type Listening, Rig, serveBytes, serveSockets, until } from './gateway-front.harness';

const HEAD = `Host: h\r\nX-API-Key: ${KEY}\r\n`;
const get = (method = 'GET', version = '1.1'): string =>
  `${method} / HTTP/${version}\r\n${HEAD}Connection: close\r\n\r\n`;
const HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n';
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
/** The status of each head that came, in order. */
const statuses = (received: string): number[] =>
  [...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));

describe('an upstream that says something before its answer', () => {
  const opened: { close(): Promise<void> }[] = [];

  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });

  const rigFor = async (upstreams: Listening[], options: ConstructorParameters<typeof Rig>[1] = {}): Promise<Rig> => {
    opened.unshift(...upstreams);
    const urls = upstreams.map(({ url }) => url);
    const rig = await new Rig(urls, options).open();
    opened.unshift(rig);
    return rig;
  };
  /** One that hands its sockets out, each with the head of a request. */
  const handed = async (asked: (socket: Socket, head: string) => void): Promise<Listening> =>
    serveSockets((socket) => {
      socket.on('data', (chunk: Buffer) => {
        if (chunk.includes('\r\n\r\n')) asked(socket, chunk.toString('latin1'));
      });
    });

  it('has its early hints passed on before the answer is there', async () => {
    let answer: (() => void) | undefined;
    const rig = await rigFor([
      await handed((socket) => {
        const links = 'Link: </a.css>; rel=preload\r\nlink: </b.js>\r\nX-Odd: caf\u00e9\r\n';
        const own =
          'X-Request-Id: upstream\r\nConnection: X-Hop\r\nX-Hop: 1\r\nContent-Length: 2\r\nKeep-Alive: timeout=9\r\n';
        socket.write(`HTTP/1.1 103 Early Hints\r\n${links}${own}\r\n`, 'latin1');
        answer = () => socket.write(OK);
      }),
    ]);
    const call = request({ port: rig.port, headers: { 'x-api-key': KEY } }).end();
    const [hints] = (await once(call, 'information')) as [InformationEvent];
    expect([hints.statusCode, hints.statusMessage]).toEqual([103, 'Early Hints']);
    expect(hints.rawHeaders).toEqual([...['Link', '</a.css>; rel=preload', 'link', '</b.js>', 'X-Odd', 'caf\u00e9']]);
    const answered = once(call, 'response') as Promise<[IncomingMessage]>;
    answer?.();
    const [message] = await answered;
    expect([message.statusCode, await text(message)]).toEqual([200, 'ok']);
    expect(await rig.untilEnded(1)).toMatchObject({ status: 200, attempts: 1 });
    expect(rig.balancer.told).toMatchObject([{ statuses: [200], failures: [], releases: 1 }]);
  });

  it.each(['GET', 'HEAD'])('may say several things, known and unknown, in their order, to a %s', async (method) => {
    const said = `${HINTS}HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 150 Half Way\r\nX-Done: 50\r\n\r\n${HINTS}`;
    const rig = await rigFor([await serveBytes(said + (method === 'HEAD' ? OK.slice(0, -2) : OK))]);
    const received = await exchangeBytes(rig.port, get(method));
    expect(received.startsWith(said)).toBe(true);
    expect(statuses(received)).toEqual([103, 102, 150, 103, 200]);
    expect(received.endsWith('ok')).toBe(method === 'GET');
  });

  it('says it to nobody who speaks HTTP/1.0', async () => {
    const rig = await rigFor([await serveBytes(HINTS + OK)]);
    expect(statuses(await exchangeBytes(rig.port, get('GET', '1.0')))).toEqual([200]);
  });

  it('is heard in the turn of its request, where a client asks for more before it has its answer', async () => {
    const first: Socket[] = [];
    const rig = await rigFor([
      await handed((socket, head) => {
        if (head.startsWith('GET /first')) first.push(socket);
        else socket.write(HINTS + OK.replace('ok', 'no'));
      }),
    ]);
    const sent = `GET /first HTTP/1.1\r\n${HEAD}\r\n${get()}`;
    const both = exchangeBytes(rig.port, sent);
    await until(() => rig.balancer.told[1]?.releases === 1 && first.length === 1);
    first[0]?.write(OK);
    const received = await both;
    expect(statuses(received)).toEqual([200, 103, 200]);
    expect(received).toMatch(/\r\n\r\nokHTTP\/1\.1 103 [^]*\r\n\r\nno$/);
  });

  it('is heard in that turn whole and in order, however often it says something before', async () => {
    const first: Socket[] = [];
    const often = Array.from({ length: 100 }, (_, n) => `HTTP/1.1 103 Early Hints\r\nX-Part: ${n}\r\n\r\n`);
    const rig = await rigFor([
      await handed((socket, head) => {
        if (head.startsWith('GET /first')) first.push(socket);
        else socket.write(often.join('') + OK.replace('ok', 'no'));
      }),
    ]);
    const listening = jest.spyOn(ServerResponse.prototype, 'once');
    const both = exchangeBytes(rig.port, `GET /first HTTP/1.1\r\n${HEAD}\r\n${get()}`);
    await until(() => rig.balancer.told[1]?.releases === 1 && first.length === 1);
    first[0]?.write(OK);
    const received = await both;
    const turns = listening.mock.calls.filter(([event]) => event === 'socket');
    listening.mockRestore();
    expect(received).toContain(`\r\n\r\nok${often.join('')}HTTP/1.1 200`);
    // One waits to say what was said before, one for the answer's own turn; of more than ten listeners Node warns, as of a leak.
    expect(turns).toHaveLength(2);
  });

  it('is heard before a WebSocket opens', async () => {
    const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    const rig = await rigFor([await serveBytes(HINTS + switching)]);
    const upgrade = `GET / HTTP/1.1\r\n${HEAD}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
    expect(statuses(await exchangeBytes(rig.port, upgrade, / 101 [^]*\r\n\r\n/))).toEqual([103, 101]);
  });

  it('is heard though it then fails and another answers', async () => {
    const failing = await handed((socket) => socket.write(HINTS, () => socket.resetAndDestroy()));
    const rig = await rigFor([failing, await serveBytes(OK)], { route: { retries: 1 } });
    expect(statuses(await exchangeBytes(rig.port, get()))).toEqual([103, 200]);
    expect(rig.balancer.told).toMatchObject([{ failures: ['unreachable'] }, { statuses: [200] }]);
  });

  it('may not say without end what nobody keeps: 64 KiB, and its time runs on', async () => {
    const rig = await rigFor(
      [
        await handed((socket) => {
          const more = (): void => {
            while (!socket.destroyed && socket.write(HINTS.repeat(50)));
          };
          socket.on('drain', more);
          more();
        }),
      ],
      { route: { timeoutMs: 500 } },
    );
    const received = await exchangeBytes(rig.port, get());
    const heard = statuses(received);
    expect(heard.at(-1)).toBe(504);
    expect(heard.length - 1).toBe(Math.floor((64 * 1024) / HINTS.length));
    expect(rig.balancer.told).toMatchObject([{ failures: ['timeout'], releases: 1 }]);
  });

  it.each([
    ['a body', `HTTP/1.1 103 Early Hints\r\nContent-Length: 2\r\n\r\nok${OK}`],
    ['a change of protocol after it', `${HINTS}HTTP/1.1 101 Switching Protocols\r\n\r\n`],
  ])('is 502 where there is %s', async (_what, bytes) => {
    const rig = await rigFor([await serveBytes(bytes, true)]);
    const received = await exchangeBytes(rig.port, get());
    expect(statuses(received)).toEqual([103, 502]);
    expect(rig.balancer.told).toMatchObject([{ failures: [expect.any(String)], releases: 1 }]);
  });

  it('has an unasked 100 passed over, however it is cut into pieces, beside hints and over one connection', async () => {
    const connections = new Set<Socket>();
    const rig = await rigFor([
      await handed((socket, head) => {
        connections.add(socket);
        const bytes = CONTINUE + HINTS + CONTINUE + OK;
        const size = Number(/X-Size: (\d+)/i.exec(head)?.[1]);
        const send = (from: number): void => {
          if (from < bytes.length) socket.write(bytes.slice(from, from + size), () => setImmediate(send, from + size));
        };
        send(0);
      }),
    ]);
    const sent = (size: number, more = ''): string => `GET / HTTP/1.1\r\n${HEAD}X-Size: ${size}\r\n${more}\r\n`;
    const sizes = [1, 2, 3, 7, 12, 25, 26, 1000];
    for (const size of sizes) {
      const received = await exchangeBytes(rig.port, sent(size), /\r\n\r\nok$/);
      expect([size, statuses(received)]).toEqual([size, [103, 200]]);
    }
    await rig.untilEnded(sizes.length);
    expect(connections.size).toBe(1);
  });

  it('has a body that reads like a 100 passed on whole', async () => {
    const body = CONTINUE.repeat(3);
    const rig = await rigFor([
      await handed((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
        for (let i = 1; i <= 3; i += 1) setTimeout(() => socket.write(CONTINUE), 10 * i);
      }),
    ]);
    expect((await exchangeBytes(rig.port, get())).endsWith(`\r\n\r\n${body}`)).toBe(true);
  });

  it('is not what asks for a promised body: that is the gateway, once', async () => {
    const rig = await rigFor([
      await serveSockets((socket) => {
        let seen = '';
        socket.on('data', (chunk: Buffer) => {
          seen += chunk.toString('latin1');
          if (seen.endsWith('\r\n\r\nab')) socket.write(CONTINUE + OK);
        });
      }),
    ]);
    const promise = `POST / HTTP/1.1\r\n${HEAD}Expect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n`;
    const received = await exchangeBytes(rig.port, `${promise}ab`);
    expect(statuses(received)).toEqual([100, 200]);
  });
});
