import { Injectable } from '@nestjs/common';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Answers some of the requests that come to the API's own port, before anything of the API sees them. */
export interface FrontDoor {
  takes(request: IncomingMessage): boolean;
  handle(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void;
}

/** Where a feature stands before the API; there is one such place. */
@Injectable()
export class FrontDoors {
  private door: FrontDoor | undefined;

  /** Call it while the modules are set up. */
  open(door: FrontDoor): void {
    if (this.door) throw new Error('There is a front door already');
    this.door = door;
  }

  /** Whoever takes the request; undefined: the API does. */
  of(request: IncomingMessage): FrontDoor | undefined {
    return this.door?.takes(request) ? this.door : undefined;
  }
}

type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Puts the doors before a server's own listeners. What they do not take goes on as if they were not there: an upgrade that
 * nobody wants is a plain request, and `100 Continue` is said as Node would say it.
 */
export function standBefore(server: Server, doors: FrontDoors): void {
  const listeners = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    const door = doors.of(request);
    if (door) door.handle(request, response);
    else for (const listener of listeners) listener.call(server, request, response);
  });
  server.on('checkContinue', (request, response) => {
    if (!doors.of(request)) response.writeContinue();
    server.emit('request', request, response);
  });
  // A property since Node 24.9, asked of each request that would change its protocol.
  Object.assign(server, { shouldUpgradeCallback: (request: IncomingMessage) => doors.of(request) !== undefined });
  server.on('upgrade', (request, socket, head) => {
    const door = doors.of(request);
    if (door) door.upgrade(request, socket as Socket, head);
    else socket.destroy();
  });
}
