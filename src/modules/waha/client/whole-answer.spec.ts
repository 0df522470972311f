import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type Dispatcher, Pool } from 'undici';
import { wholeAnswer } from './whole-answer';

const open: { server: Server; pool: Pool }[] = [];

/** A pool of connections to a server that answers so. */
async function poolOf(answer: RequestListener, options: Pool.Options = {}): Promise<Pool> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const pool = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, options);
  open.push({ server, pool });
  return pool;
}

const get = (pool: Pool, { path = '/', timeoutMs = 5_000 } = {}) =>
  wholeAnswer(pool, { method: 'GET', path }, timeoutMs);

afterEach(async () => {
  for (const { server, pool } of open.splice(0)) {
    await pool.destroy();
    server.closeAllConnections();
    server.close();
  }
});

describe('wholeAnswer', () => {
  it('gives status, headers and text, however the body is cut', async () => {
    const pool = await poolOf((_, response) => {
      const body = Buffer.from('\ufeff{"name":"Ärger 😀"}');
      response.writeHead(422, { date: 'Tue, 24 Nov 2026 10:00:00 GMT' });
      const step = (from: number): void => {
        if (from >= body.length) response.end();
        else response.write(body.subarray(from, from + 3), () => setImmediate(step, from + 3));
      };
      step(0);
    });
    const { status, headers, text } = await get(pool);
    expect([status, headers.date, text]).toEqual([422, 'Tue, 24 Nov 2026 10:00:00 GMT', '{"name":"Ärger 😀"}']);
  });

  it('sends the body, passes what comes before the answer by, and knows an empty one', async () => {
    const seen: string[] = [];
    const pool = await poolOf((request, response) => {
      response.writeEarlyHints({ link: '</a>; rel=preload' });
      request.on('data', (chunk: Buffer) => seen.push(`${request.method} ${chunk.toString()}`));
      request.on('end', () => response.writeHead(201).end());
    });
    const answer = await wholeAnswer(pool, { method: 'POST', path: '/', body: 'hello' }, 5_000);
    expect([answer.status, answer.text, seen]).toEqual([201, '', ['POST hello']]);
  });

  it.each<[string, RequestListener]>([
    ['the answer', () => undefined],
    ['the rest of it', (_, response) => void response.writeHead(200).write('a part')],
  ])('waits no longer than it may for %s, and closes the connection', async (_, answer) => {
    let whenClosed: () => void = () => undefined;
    const closed = new Promise<void>((resolve) => (whenClosed = resolve));
    const pool = await poolOf((request, response) => {
      request.socket.once('close', whenClosed);
      answer(request, response);
    });
    const started = performance.now();
    await expect(get(pool, { timeoutMs: 500 })).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(performance.now() - started).toBeLessThan(5_000);
    await closed;
  });

  it('waits no longer for a connection, and then never sends', async () => {
    const seen: (string | undefined)[] = [];
    const pool = await poolOf(
      ({ url }, response) => {
        seen.push(url);
        setTimeout(() => response.end('done'), 500);
      },
      { connections: 1 },
    );
    const first = get(pool, { path: '/first' });
    await expect(get(pool, { path: '/late', timeoutMs: 50 })).rejects.toMatchObject({ name: 'TimeoutError' });
    expect((await first).text).toBe('done');
    expect((await get(pool, { path: '/last' })).text).toBe('done');
    expect(seen).toEqual(['/first', '/last']);
  });

  it('leaves no timer that ends an answer which has come', async () => {
    const pool = await poolOf((_, response) => response.end('soon'), { connections: 1 });
    for (let nth = 0; nth < 3; nth += 1) expect((await get(pool, { timeoutMs: 1_000 })).text).toBe('soon');
    await pause(1_100);
    expect((await get(pool)).text).toBe('soon');
  });

  it('passes on why there was no answer, or not all of it', async () => {
    const pool = await poolOf(
      ({ url, socket }, response) => {
        if (url === '/gone') socket.destroy();
        else if (url === '/half')
          response.writeHead(200, { 'content-length': 100 }).write('half', () => socket.destroy());
        else response.end('x'.repeat(2_000));
      },
      { maxResponseSize: 1_000 },
    );
    await expect(get(pool, { path: '/gone' })).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
    await expect(get(pool, { path: '/half' })).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
    await expect(get(pool, { path: '/long' })).rejects.toMatchObject({ code: 'UND_ERR_RES_EXCEEDED_MAX_SIZE' });
    await pool.destroy();
    await expect(get(pool)).rejects.toMatchObject({ code: 'UND_ERR_DESTROYED' });
  });

  it('lets nothing leave once its time is over, also where the connection is there before the timer: after a standstill', async () => {
    const aborted: unknown[] = [];
    const standingStill = {
      dispatch: (_options: unknown, handler: { onRequestStart: (controller: object) => void }) => {
        const until = performance.now() + 30;
        while (performance.now() < until);
        handler.onRequestStart({ abort: (error: Error) => aborted.push(error.name) });
        return true;
      },
    } as unknown as Dispatcher;
    await expect(wholeAnswer(standingStill, { method: 'GET', path: '/' }, 20)).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    expect(aborted).toEqual(['TimeoutError']);
  });
});
