import { Injectable } from '@nestjs/common';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { asksBeforeUpgrades } from '../process/node-version';
import { type ClientError, mayTakeLonger } from './client-error';

/** Answers some of the requests that come to the API's own port, before anything of the API sees them. */
export interface FrontDoor {
  takes(request: IncomingMessage): boolean;
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Takes a WebSocket. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void;
  /**
   * Ends a connection on which something came that is no HTTP, in the middle of an answer of its own.
   * @returns false: it is giving none there
   */
  breakOff(socket: Socket): boolean;
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

  /** @returns false: no door is in the middle of an answer on this connection */
  breakOff(socket: Socket): boolean {
    return this.door?.breakOff(socket) ?? false;
  }
}

type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;
type ErrorListener = (error: ClientError, socket: Socket) => void;

/**
 * Puts the doors before a server's own listeners. What they do not take goes on as if they were not there, and
 * `100 Continue` is said as Node would say it. Of upgrades only the doors' WebSockets are any; all others are plain requests.
 */
export function standBefore(server: Server, doors: FrontDoors): void {
  server.maxHeadersCount = 0; // their size is bounded; whatever a count leaves out would be checked by nobody
  const listeners = takeListeners<RequestListener>(server, 'request');
  server.on('request', (request, response) => {
    const door = doors.of(request);
    if (door) door.handle(request, response);
    else for (const listener of listeners) listener.call(server, request, response);
  });
  server.on('checkContinue', (request, response) => {
    if (!doors.of(request)) response.writeContinue();
    server.emit('request', request, response);
  });
  const errorListeners = takeListeners<ErrorListener>(server, 'clientError');
  server.on('clientError', (error: ClientError, socket) => {
    // In the middle of an answer there is no place for another.
    if (mayTakeLonger(error, socket as Socket) || doors.breakOff(socket as Socket)) return;
    for (const listener of errorListeners) listener.call(server, error, socket as Socket);
  });
  // Where Node does not ask, a listener would be handed every upgrade, its body unread: without one all are plain requests.
  if (asksBeforeUpgrades(process.versions.node)) takeWebSockets(server, doors);
}

function takeListeners<T>(server: Server, event: string): T[] {
  const listeners = server.listeners(event) as T[];
  server.removeAllListeners(event);
  return listeners;
}

function takeWebSockets(server: Server, doors: FrontDoors): void {
  const isTaken = (request: IncomingMessage): boolean =>
    request.headers.upgrade?.toLowerCase() === 'websocket' && doors.of(request) !== undefined;
  Object.assign(server, { shouldUpgradeCallback: isTaken });
  server.on('upgrade', (request, socket, head) => {
    const door = doors.of(request);
    if (door) door.upgrade(request, socket as Socket, head);
    else socket.destroy();
  });
}
