import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Somebody's web server, with the files of a test. */
export interface Origin {
  /** Of a path whose answers are that from now on, and what came to it. */
  serve(path: string, answer: RequestListener): { url: string; asked: () => number };
  /** Of a file at that path. */
  file(path: string, bytes: Buffer | string): { url: string; asked: () => number };
  close(): Promise<void>;
}

/** Starts one on a free port of this machine. What it does not know is 404. */
export async function startOrigin(): Promise<Origin> {
  const answers = new Map<string, RequestListener>();
  const counts = new Map<string, number>();
  const server: Server = createServer((request, response) => {
    const path = request.url ?? '/';
    counts.set(path, (counts.get(path) ?? 0) + 1);
    const answer = answers.get(path);
    if (answer) answer(request, response);
    else response.writeHead(404).end('not here');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const serve: Origin['serve'] = (path, answer) => {
    answers.set(path, answer);
    return { url: base + path, asked: () => counts.get(path) ?? 0 };
  };
  return {
    serve,
    file: (path, bytes) => serve(path, (_request, response) => response.end(bytes)),
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
