import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
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
});
