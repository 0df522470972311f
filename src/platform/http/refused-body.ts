import type { IncomingMessage } from 'node:http';

/** How much of a refused body is read, and for how long. */
export interface DrainBounds {
  mostBytes: number;
  withinMs: number;
}

const BOUNDS: DrainBounds = { mostBytes: 8 * 1024 * 1024, withinMs: 10_000 };
const drained = new WeakSet<IncomingMessage>();

/**
 * Reads on what still comes of a body that is refused, so that the client hears the answer: a client that sends all before it
 * reads would else hear nothing but that its connection broke. Not for ever: of more than so many bytes nothing further is read,
 * and a body that is not at its end in time takes its connection with it.
 */
export function drainRefused(request: IncomingMessage, { mostBytes, withinMs }: DrainBounds = BOUNDS): void {
  if (drained.has(request) || request.readableEnded || request.destroyed) return;
  drained.add(request);
  let readBytes = 0;
  const overdue = setTimeout(() => request.destroy(), withinMs).unref();
  request.unpipe();
  request
    .on('error', () => undefined)
    .once('close', () => clearTimeout(overdue))
    .on('data', (chunk: Buffer) => {
      readBytes += chunk.length;
      if (readBytes > mostBytes) request.pause();
    })
    .resume();
}
