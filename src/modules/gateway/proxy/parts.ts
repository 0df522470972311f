import type { Actor } from '../../../common/actor';
import type { GatewayRoute } from '../gateway-route';

/** What a request of a tenant's client takes, once its route is known. */
export interface Match {
  readonly route: GatewayRoute;
  /** What the upstream is asked for after its base path, without the query: begins with `/`. */
  readonly path: string;
}

/** Who waits for a match. */
export interface Asker {
  /** Nobody does any more. */
  readonly isOver: boolean;
}

/** The routes of one tenant, made once and never changed. */
export interface RouteTable {
  /**
   * Null where no route takes it. Without a promise but where a regular expression has to be compiled first; it never fails.
   * @param host lower case, without a port. @param path as it came, without the query. @param asker once over gets whatever comes first
   */
  match(method: string, host: string, path: string, asker?: Asker): Match | null | Promise<Match | null>;
}

/** Where the tables are. */
export interface RouteTables {
  /** Without a promise where it is known: it is asked on each request. */
  of(tenantId: string): RouteTable | Promise<RouteTable>;
}

/** Whom a key belongs to. */
export interface GatewayKeys {
  /**
   * Null for no live key; `suspended` whose tenant is. Without a promise where it is known.
   * @param address the client's
   */
  find(secret: string, address: string): KeyVerdict | Promise<KeyVerdict>;
}
export type KeyVerdict = Actor | { readonly suspended: Actor } | null;

/** What a limit says of one request. */
export interface LimitVerdict {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Whole seconds, at least 1. */
  readonly resetS: number;
}

/** Counts requests. */
export interface GatewayLimits {
  /**
   * Takes one of each limit, or none: the verdict of the tightest one, null where there is no limit. Without a promise as long as
   * turns are held; a promise, which never fails and takes no longer than Redis may, where some have to be fetched.
   */
  take(actor: Actor, route: GatewayRoute): LimitVerdict | null | Promise<LimitVerdict>;
}

/** What is counted of each request. */
export interface GatewayObserver {
  /** `route` is null where none was reached. `upstreamMs` is null where no upstream answered. */
  ended(exchange: EndedExchange): void;
}
export interface EndedExchange {
  /** Null where nobody was known. */
  readonly actor: Actor | null;
  readonly tenantId: string | null;
  readonly route: GatewayRoute | null;
  readonly requestId: string;
  readonly method: string;
  /** 499: the client went away before the head was sent. */
  readonly status: number;
  /** Until the last byte was handed to the client. */
  readonly totalMs: number;
  readonly upstreamMs: number | null;
  readonly attempts: number;
  /** The client's. */
  readonly address: string;
  readonly userAgent: string | undefined;
  /** Whether this process knew the key, and the tenant's table, without asking; null where it came to no look-up of it. */
  readonly keyHit: boolean | null;
  readonly tableHit: boolean | null;
}
