import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { answerClientError } from '../../../platform/http/client-error';
import type { GatewayFront } from './front';

/** What a connection of the gateway's own port may take. */
const SETTINGS = {
  /** From the first byte of a request to the end of its headers; a body has an idle time instead of an end. */
  headersTimeout: 10_000,
  requestTimeout: 0,
  connectionsCheckingInterval: 2000,
  /** Longer than the load balancers' (60 s), so that it is they who close. */
  keepAliveTimeout: 72_000,
  maxHeaderSize: 16 * 1024,
  insecureHTTPParser: false,
  /** A missing Host is refused in the one shape. */
  requireHostHeader: false,
  noDelay: true,
} satisfies ServerOptions;

/** Connections at once; more are closed as they come. */
const CONNECTIONS_MAX = 20_000;

const IDLE_CHECK_MS = 100;

/** Other protocols than WebSocket are not changed to: the request is answered as it is (RFC 9110 §7.8). */
const isWebSocket = (request: IncomingMessage): boolean => request.headers.upgrade?.toLowerCase() === 'websocket';

interface ServerParts {
  readonly logger: Logger;
  /** Go with answers to what is not even a request. */
  readonly securityHeaders: Record<string, string>;
  /** Answers some of the requests in the front's place. */
  readonly aside?: {
    takes(request: IncomingMessage): boolean;
    handle(request: IncomingMessage, response: ServerResponse): void;
  };
  /** Other settings than the usual ones. */
  readonly settings?: ServerOptions;
}

/** A server for the gateway's own port, not yet listening. Every request, upgrade and CONNECT goes to the front, but what is answered aside: nothing there becomes a WebSocket. */
export function createGatewayServer(
  front: GatewayFront,
  { logger, securityHeaders, settings, aside }: ServerParts,
): Server {
  // Known since Node 24.9; before it the front tells the protocols apart.
  const isAside = (request: IncomingMessage): boolean => aside?.takes(request) ?? false;
  const upgrades = {
    shouldUpgradeCallback: (request: IncomingMessage) => isWebSocket(request) && !isAside(request),
  } as ServerOptions;
  const server = createServer({ ...SETTINGS, ...upgrades, ...settings });
  server.maxConnections = CONNECTIONS_MAX;
  server.maxHeadersCount = 0; // their size is bounded; whatever a count leaves out would be checked by nobody
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (aside?.takes(request)) aside.handle(request, response);
    else front.handle(request, response);
  };
  server.on('request', handle).on('checkContinue', handle).on('checkExpectation', handle);
  server.on('upgrade', (request, socket, head) => {
    if (isAside(request)) socket.destroy();
    else front.upgrade(request, socket as Socket, head);
  });
  server.on('connect', (request, socket) => front.connect(request, socket as Socket));
  const answerError = answerClientError(securityHeaders, logger);
  server.on('clientError', (error, socket) => {
    // In the middle of an answer there is no place for another.
    if (!front.breakOff(socket as Socket)) answerError(error, socket as Socket);
  });
  return server;
}

/**
 * Ends a gateway's server: it takes no more connections, each answer under way is finished and ends its connection, WebSockets
 * are closed at once. What is not finished in time is cut off. The front itself is closed by whoever made it: it may serve
 * other ports too.
 * @returns whether all was finished in time
 */
export async function closeGatewayServer(server: Server, front: GatewayFront, timeoutMs: number): Promise<boolean> {
  front.drain();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  let inTime = true;
  const cut = setTimeout(() => {
    inTime = false;
    front.cutAll();
    server.closeAllConnections();
  }, timeoutMs);
  try {
    await closed;
  } finally {
    clearInterval(idle);
    clearTimeout(cut);
  }
  return inTime;
}
