import type { INestApplication } from '@nestjs/common';
import type { Server } from 'node:http';
import { Readiness } from './readiness';

const IDLE_CHECK_MS = 100;

/**
 * Ends the application without losing a request: `/ready` fails first, then no connection is accepted, what is in flight gets
 * its answer, and only then do the features close what they hold.
 * @param timeoutMs how long what is in flight may take
 * @returns whether all of it was finished in time
 */
export async function shutDown(app: INestApplication, timeoutMs: number): Promise<boolean> {
  app.get(Readiness).stopping();
  const server = app.getHttpServer() as Server;
  // A connection that falls idle during the shutdown would otherwise be kept until its keep-alive ends.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  const finished = closeInOrder(app, server).then(() => true);
  try {
    return await Promise.race([finished, tooLate]);
  } finally {
    clearInterval(idle);
    clearTimeout(timer);
  }
}

async function closeInOrder(app: INestApplication, server: Server): Promise<void> {
  if (server.listening)
    await new Promise<void>((resolve, reject) => server.close((error) => (error ? reject(error) : resolve())));
  await app.close();
}
