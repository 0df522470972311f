import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerClientError, takeTime } from './client-error';

describe('a request that takes too long', () => {
  let server: Server;
  let overdue: Promise<unknown[]>;

  /** Answers how many bytes came in. */
  const serve = async (before: (incoming: IncomingMessage) => void): Promise<number> => {
    const handler = async (incoming: IncomingMessage, answer: ServerResponse): Promise<void> => {
      before(incoming);
      answer.end(String((await text(incoming)).length));
    };
    const limits = { requestTimeout: 200, headersTimeout: 150, connectionsCheckingInterval: 50 };
    server = createServer(limits, (incoming, answer) => void handler(incoming, answer).catch(() => undefined));
    const answerError = answerClientError({}, pino({ level: 'silent' }));
    server.on('clientError', (error: Error, socket) => answerError(error, socket as Socket));
    overdue = once(server, 'clientError');
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return (server.address() as AddressInfo).port;
  };

  /** Sends the last byte when the server has found the request overdue. */
  const sendSlowly = async (port: number): Promise<{ status: number; body: string }> => {
    const call = request({ port, method: 'POST', headers: { 'content-length': '2' } });
    const answered = once(call, 'response') as Promise<[IncomingMessage]>;
    call.on('error', () => undefined); // whoever is refused is cut off
    call.write('a');
    await overdue;
    call.end('b');
    const [answer] = await answered;
    return { status: answer.statusCode ?? 0, body: await text(answer) };
  };

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it('is refused', async () => {
    const { status, body } = await sendSlowly(await serve(() => undefined));
    expect([status, (JSON.parse(body) as { code: string }).code]).toEqual([408, 'REQUEST_TIMEOUT']);
  });

  it('goes on where it was given its time', async () => {
    expect(await sendSlowly(await serve(takeTime))).toEqual({ status: 200, body: '2' });
  });

  const PACE = { leastBytesPerS: 1_000, afterMs: 300, everyMs: 100 };

  /** Sends so many bytes every 50 ms, in all 20 times, as long as it is let. */
  const sendPieces = async (port: number, bytes: number): Promise<{ status: number; body: string }> => {
    const call = request({ port, method: 'POST', headers: { 'content-length': String(20 * bytes) } });
    const answered = once(call, 'response') as Promise<[IncomingMessage]>;
    call.on('error', () => undefined);
    for (let piece = 0; piece < 20 && !call.destroyed; piece += 1) {
      call.write(Buffer.alloc(bytes, 'a'));
      await sleep(50);
    }
    call.end();
    const [answer] = await answered;
    return { status: answer.statusCode ?? 0, body: await text(answer) };
  };

  it('goes on for as long as it keeps its pace', async () => {
    const port = await serve((incoming) => takeTime(incoming, PACE));
    expect(await sendPieces(port, 500)).toEqual({ status: 200, body: '10000' });
  });

  it('is refused where it comes in more slowly than that', async () => {
    const port = await serve((incoming) => takeTime(incoming, PACE));
    const { status, body } = await sendPieces(port, 10);
    expect([status, (JSON.parse(body) as { code: string }).code]).toEqual([408, 'REQUEST_TIMEOUT']);
  });

  it('is not refused for what we have not read yet', async () => {
    const handler = async (incoming: IncomingMessage, answer: ServerResponse): Promise<void> => {
      takeTime(incoming, PACE);
      await sleep(1_000);
      answer.end(String((await text(incoming)).length));
    };
    server = createServer((incoming, answer) => void handler(incoming, answer));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const call = request({ port: (server.address() as AddressInfo).port, method: 'POST' });
    call.end(Buffer.alloc(5_000_000, 'a'));
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    expect([answer.statusCode, await text(answer)]).toEqual([200, '5000000']);
  });
});
