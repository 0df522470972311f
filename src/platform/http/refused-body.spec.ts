import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type DrainBounds, drainRefused } from './refused-body';

const KIB = 1024;
/** What the sockets on both sides hold at most. */
const SLACK_BYTES = 512 * KIB;
const LONG_MS = 60_000;

describe('a body that is refused', () => {
  let server: Server;
  let agent: Agent;
  let port: number;
  const taken: Socket[] = [];

  const serve = async (bounds: DrainBounds): Promise<void> => {
    server = createServer((incoming, answer) => {
      taken.push(incoming.socket);
      drainRefused(incoming, bounds);
      drainRefused(incoming, bounds);
      answer.writeHead(400).end('refused');
    });
    agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    port = (server.address() as AddressInfo).port;
  };

  afterEach(() => {
    agent.destroy();
    server.closeAllConnections();
    server.close();
    taken.length = 0;
  });

  /** Sends what the body gives; answers what was heard, and that the connection broke off. */
  const send = (body: Readable) => {
    const call = request({ port, agent, method: 'POST' });
    const closed = new Promise<void>((resolve) =>
      call.once('socket', (socket) => socket.once('close', () => resolve())),
    );
    call.on('error', () => undefined);
    call.flushHeaders();
    body.pipe(call);
    const heard = (once(call, 'response') as Promise<[IncomingMessage]>).then(async ([answer]) => {
      answer.on('error', () => undefined);
      return [answer.statusCode, await text(answer)];
    });
    return { heard, closed };
  };

  const piece = Buffer.alloc(64 * KIB);
  const pieces = (count: number): Readable => Readable.from(Array.from({ length: count }, () => piece));
  const endless = (): Readable =>
    new Readable({
      read() {
        this.push(piece);
      },
    });

  it('is read to its end: the client hears the answer and goes on over the same connection', async () => {
    await serve({ mostBytes: 4_096 * KIB, withinMs: LONG_MS });
    for (let nth = 0; nth < 2; nth += 1) expect(await send(pieces(32)).heard).toEqual([400, 'refused']);
    expect(taken).toHaveLength(2);
    expect(taken[1]).toBe(taken[0]);
    expect(taken[0]?.bytesRead).toBeGreaterThan(32 * piece.length);
  });

  it('is read no further than so far, however much comes; the client hears the answer, and its connection ends', async () => {
    const mostBytes = 1_024 * KIB;
    await serve({ mostBytes, withinMs: 500 });
    const { heard, closed } = send(endless());
    expect(await heard).toEqual([400, 'refused']);
    await closed;
    expect(taken[0]?.bytesRead).toBeGreaterThan(mostBytes);
    expect(taken[0]?.bytesRead).toBeLessThan(mostBytes + SLACK_BYTES);
  });

  it('takes its connection with it where nothing more comes, and it is not at its end in time', async () => {
    await serve({ mostBytes: 1_024 * KIB, withinMs: 100 });
    const { heard, closed } = send(new Readable({ read: () => undefined }));
    expect(await heard).toEqual([400, 'refused']);
    await closed;
  });
});
