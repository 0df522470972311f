import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { Config } from '../../config/config';
import { ApiPaths } from '../../platform/http/api-paths';
import { takeTime } from '../../platform/http/client-error';
import { type FrontDoor, FrontDoors } from '../../platform/http/front-door';
import { Readiness } from '../../platform/http/readiness';
import { securityHeaders } from '../../platform/http/security-headers';
import { GatewayParts } from './gateway-parts.service';
import { GatewayFront } from './proxy/front';

/** The gateway's data plane in this process: it stands before the API, and GatewayPort gives it a port of its own. */
@Injectable()
export class GatewayDoor implements OnModuleInit, OnApplicationShutdown, FrontDoor {
  private opened: { front: GatewayFront; headers: Record<string, string>; logger: Logger } | undefined;

  constructor(
    private readonly config: Config,
    private readonly parts: GatewayParts,
    private readonly host: HttpAdapterHost,
    private readonly paths: ApiPaths,
    private readonly doors: FrontDoors,
    private readonly readiness: Readiness,
  ) {}

  async onModuleInit(): Promise<void> {
    const headers = (await securityHeaders()).api;
    const logger = this.host.httpAdapter.getInstance<FastifyInstance>().log as Logger;
    const { TRUSTED_PROXIES: trustedProxies } = this.config;
    const front = new GatewayFront({ ...this.parts.all(), logger, securityHeaders: headers, trustedProxies });
    this.opened = { front, headers, logger };
    this.readiness.whenStopping(() => front.drain());
    if (this.config.answersApi) this.doors.open(this);
  }

  /** Only when no port has anything under way any more: slow exchanges are watched until then. */
  onApplicationShutdown(): void {
    this.opened?.front.close();
  }

  /** @throws Error before the modules are set up */
  get pieces(): { front: GatewayFront; headers: Record<string, string>; logger: Logger } {
    if (!this.opened) throw new Error('The gateway is not set up yet');
    return this.opened;
  }

  /** Whoever shows a key and wants no path of the API wants a service of the key's tenant. */
  takes({ headers, url = '/' }: IncomingMessage): boolean {
    return headers['x-api-key'] !== undefined && !this.paths.has(url.split('?', 1)[0] ?? '/');
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    takeTime(request);
    request.socket.setTimeout(0); // the gateway has idle times of its own
    this.pieces.front.handle(request, response);
  }

  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    socket.setTimeout(0);
    this.pieces.front.upgrade(request, socket, head);
  }

  breakOff(socket: Socket): boolean {
    return this.pieces.front.breakOff(socket);
  }
}
