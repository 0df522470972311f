import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { Config } from '../../config/config';
import { Readiness } from '../../platform/http/readiness';
import { GatewayDoor } from './gateway-door.service';
import { OWN_PATHS } from './own-paths';
import { closeGatewayServer, createGatewayServer } from './proxy/gateway-server';

/** The gateway's own port: every path but those of health and metrics is the tenants'. */
@Injectable()
export class GatewayPort implements BeforeApplicationShutdown {
  private server: Server | undefined;
  private closing: Promise<boolean> | undefined;

  constructor(
    private readonly config: Config,
    private readonly door: GatewayDoor,
    private readonly host: HttpAdapterHost,
    readiness: Readiness,
  ) {
    readiness.whenStopping(() => void this.close());
  }

  /**
   * Takes requests from now on.
   * @returns its address
   * @throws what Node says of an address that cannot be listened on
   */
  async listen(port: number, host: string): Promise<string> {
    const { front, headers, logger } = this.door.pieces;
    const fastify = this.host.httpAdapter.getInstance<FastifyInstance>();
    await fastify.ready(); // where the API does not listen nobody else says so
    const server = createGatewayServer(front, {
      logger,
      securityHeaders: headers,
      aside: {
        takes: ({ url = '/' }: IncomingMessage) => OWN_PATHS.test(url),
        handle: (request, response) => fastify.routing(request, response),
      },
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => resolve());
    });
    this.server = server;
    const address = server.address() as AddressInfo;
    return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
  }

  /** Before the features close what requests under way need. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.close();
  }

  private close(): Promise<boolean> {
    const { server } = this;
    if (!server) return Promise.resolve(true);
    this.closing ??= closeGatewayServer(server, this.door.pieces.front, this.config.SHUTDOWN_TIMEOUT_S * 1000);
    return this.closing;
  }
}
