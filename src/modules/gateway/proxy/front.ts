import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { waitedFor } from '../../../common/deadline';
import { HttpErrors } from '../../../platform/http/http.errors';
import { createAccessLog } from '../../../platform/logging/access-log';
import type { Balancer } from '../balance/balancer';
import { ClientAddresses } from './client-address';
import { Exchange, type Shared, type TunnelRequest } from './exchange';
import { Forwarding } from './forwarding';
import { IdleSweep } from './idle-sweep';
import type { GatewayRoute } from '../gateway-route';
import type {
  GatewayKeys,
  GatewayLimits,
  GatewayObserver,
  KeyVerdict,
  LimitVerdict,
  Match,
  RouteTable,
  RouteTables,
} from './parts';
import { lastAnswer, letGo } from './let-go';
import { ProxyErrors } from './proxy.errors';
import { hostName } from './request-head';
import { TRAFFIC_LIMITS, type TrafficLimits } from './traffic-limits';
import { Tunnels } from './tunnel';

/** What a front is made of. */
export interface FrontParts {
  readonly keys: GatewayKeys;
  readonly tables: RouteTables;
  readonly limits: GatewayLimits;
  readonly balancer: Balancer;
  readonly observer: GatewayObserver;
  readonly logger: Logger;
  /** Go with every answer of the gateway's own. */
  readonly securityHeaders: Readonly<Record<string, string>>;
  /** CIDRs of the proxies whose `X-Forwarded-*` are believed. */
  readonly trustedProxies: readonly string[];
  readonly traffic?: Partial<TrafficLimits>;
}

/**
 * The gateway's data plane: checks a request, finds whose it is and where it goes, and passes it on. What is known already is
 * decided without waiting for anything. Never throws, whatever it is sent.
 */
export class GatewayFront {
  private readonly shared: Shared;
  private readonly matchMs: number;

  constructor(private readonly parts: FrontParts) {
    const traffic = { ...TRAFFIC_LIMITS, ...parts.traffic };
    this.matchMs = traffic.matchMs;
    const sweep = new IdleSweep<Exchange>(traffic.sweepMs);
    this.shared = {
      balancer: parts.balancer,
      observer: parts.observer,
      logger: parts.logger,
      accessLog: createAccessLog(parts.logger),
      addresses: new ClientAddresses(parts.trustedProxies),
      errorHeaders: Object.entries(parts.securityHeaders).flat(),
      sweep,
      connections: new WeakMap(),
      tunnels: new Tunnels(traffic.tunnelsPerTenant),
      tunnelTimes: { idleMs: traffic.tunnelIdleMs, flushMs: traffic.tunnelFlushMs },
      ticks: {
        bodyIdle: sweep.ticksOf(traffic.bodyIdleMs),
        eventIdle: sweep.ticksOf(traffic.eventIdleMs),
        linger: sweep.ticksOf(traffic.lingerMs),
      },
      isDraining: false,
    };
  }

  /**
   * Takes a request: for a server's `request`, `checkContinue` and `checkExpectation` events. It says `100 Continue` itself,
   * so a server without a listener for `checkContinue` would say it twice.
   */
  handle(request: IncomingMessage, response: ServerResponse): void {
    this.take(request, response, null);
  }

  /**
   * Takes a connection that is to change its protocol: for a server's `upgrade` event. All but WebSockets are plain requests.
   * Answers to what was asked on it before go out whole first; where one of them ends the connection, this is not answered.
   */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const isWebSocket = request.headers.upgrade?.toLowerCase() === 'websocket';
    const tunnel = isWebSocket ? { socket, first: head } : null;
    letGo(socket, () => this.take(request, lastAnswer(request, socket), tunnel, true));
  }

  /** Refuses a request to become a tunnel to anywhere, in its turn: for a server's `connect` event. */
  connect(request: IncomingMessage, socket: Socket): void {
    letGo(socket, () => {
      new Exchange(this.shared, request, lastAnswer(request, socket), null).refuse(ProxyErrors.method);
    });
  }

  /** From now on each answer ends its connection; WebSockets end at once, for they would never end by themselves. */
  drain(): void {
    this.shared.isDraining = true;
    this.shared.tunnels.closeAll();
  }

  /** Cuts off whatever is still under way. */
  cutAll(): void {
    for (const exchange of this.shared.sweep.open.list()) exchange.request.socket.destroy();
  }

  /** What is under way. */
  get openExchanges(): number {
    return this.shared.sweep.open.size;
  }

  /**
   * Ends a connection on which something came that is no HTTP, if a request on it is being answered.
   * @returns false: none is, so that the connection can be told
   */
  breakOff(socket: Socket): boolean {
    let exchange = this.shared.connections.get(socket)?.latest ?? null;
    while (exchange !== null && !exchange.isOnTheWire) exchange = exchange.before;
    exchange?.breakOff();
    return exchange !== null;
  }

  /** Ends what it does in the background; nothing may be under way. */
  close(): void {
    this.shared.sweep.stop();
  }

  private take(
    request: IncomingMessage,
    response: ServerResponse,
    tunnel: TunnelRequest | null,
    isUpgrade = false,
  ): void {
    const exchange = new Exchange(this.shared, request, response, tunnel);
    try {
      if (isUpgrade && !isSoundUpgrade(exchange)) exchange.refuse(ProxyErrors.upgrade);
      else this.admit(exchange);
    } catch (error) {
      exchange.fail(error);
    }
  }

  private admit(exchange: Exchange): void {
    const { head, origin } = exchange;
    if (head.problem !== null) exchange.refuse(head.problem);
    else if (head.key === null || head.key === '') exchange.refuse(ProxyErrors.key);
    else {
      const found = this.parts.keys.find(head.key, origin.address);
      // What is no key at all, and one that was found wrong a moment ago, is nothing that a cache was good for.
      if (found !== null) exchange.keyHit = !(found instanceof Promise);
      if (found instanceof Promise) this.later(exchange, found, (verdict) => this.identify(exchange, verdict));
      else this.identify(exchange, found);
    }
  }

  private identify(exchange: Exchange, verdict: KeyVerdict): void {
    if (verdict === null) exchange.refuse(ProxyErrors.key);
    else if ('suspended' in verdict) {
      exchange.actor = verdict.suspended;
      exchange.refuse(ProxyErrors.suspended);
    } else {
      exchange.actor = verdict;
      const table = this.parts.tables.of(verdict.tenantId);
      exchange.tableHit = !(table instanceof Promise);
      if (table instanceof Promise) this.later(exchange, table, (known) => this.route(exchange, known));
      else this.route(exchange, table);
    }
  }

  private route(exchange: Exchange, table: RouteTable): void {
    const { request, head, origin } = exchange;
    const url = request.url as string;
    const path = head.pathLength === url.length ? url : url.slice(0, head.pathLength);
    const match = table.match(request.method as string, hostName(origin.host), path, exchange);
    if (match instanceof Promise)
      this.later(exchange, inTime(this.matchMs, match), (known) => this.limit(exchange, known));
    else this.limit(exchange, match);
  }

  private limit(exchange: Exchange, match: Match | null): void {
    const { request, head, actor } = exchange;
    if (match === null || actor === null) {
      exchange.refuse(ProxyErrors.noRoute);
      return;
    }
    const { route } = match;
    exchange.route = route;
    const url = request.url as string;
    const target = head.pathLength === url.length ? match.path : match.path + url.slice(head.pathLength);
    const verdict = this.parts.limits.take(actor, route);
    if (verdict instanceof Promise) this.later(exchange, verdict, (known) => this.forward(exchange, target, known));
    else this.forward(exchange, target, verdict);
  }

  private forward(exchange: Exchange, target: string, verdict: LimitVerdict | null): void {
    const route = exchange.route as GatewayRoute;
    if (verdict !== null && !verdict.allowed) exchange.refuse(ProxyErrors.limited(verdict));
    else if (exchange.tunnel !== null && !this.takeTunnel(exchange, route.tenantId))
      exchange.refuse(ProxyErrors.tunnels);
    else {
      const forwarding = new Forwarding(exchange, route, target);
      exchange.forwarding = forwarding;
      forwarding.start();
    }
  }

  private takeTunnel(exchange: Exchange, tenantId: string): boolean {
    exchange.holdsTunnel = this.shared.tunnels.take(tenantId);
    return exchange.holdsTunnel;
  }

  private later<T>(exchange: Exchange, promise: Promise<T>, next: (value: T) => void): void {
    promise
      .then((value) => {
        if (!exchange.isOver) next(value);
      })
      .catch((error: unknown) => exchange.fail(error));
  }
}

/** The match; 503 where it is not there in time. */
async function inTime(timeoutMs: number, match: Promise<Match | null>): Promise<Match | null> {
  try {
    return await waitedFor(timeoutMs, () => match);
  } catch (error) {
    throw (error as Error).name === 'TimeoutError' ? HttpErrors.unavailable() : error;
  }
}

/** A WebSocket is asked for as RFC 6455 §4.1 says; the body of another upgrade was never read. */
function isSoundUpgrade({ tunnel, head, request }: Exchange): boolean {
  if (head.problem !== null) return true; // which is told first
  if (head.hasBody) return false;
  return tunnel === null || (request.method === 'GET' && request.httpVersion === '1.1');
}
