import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a service of a tenant was asked for. */
export interface Asked {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A tenant's own service, on a real socket: it answers each request with its name and keeps what it was asked. */
export class Upstream {
  readonly asked: Asked[] = [];
  /** What it answers with. */
  status = 200;

  private constructor(
    readonly name: string,
    private readonly server: Server,
  ) {}

  static async start(name: string): Promise<Upstream> {
    const server = createServer();
    const upstream = new Upstream(name, server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        upstream.asked.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
        response.writeHead(upstream.status, { 'content-type': 'text/plain', 'x-upstream': name }).end(name);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return upstream;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}
