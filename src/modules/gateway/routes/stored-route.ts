import type { GatewayRoute, PathType, RouteUpstream, Strategy } from '../gateway-route';

/** Header fields of the requests to the upstream. */
export interface RouteHeaders {
  /** Values by lower-case name. */
  set: Record<string, string>;
  /** Lower-case names. */
  remove: string[];
}

/** What people say of a route, as it is stored and answered. */
export interface RouteFields {
  path: string;
  path_type: PathType;
  methods: string[] | null;
  host: string | null;
  priority: number;
  upstreams: RouteUpstream[];
  strategy: Strategy;
  strip_prefix: boolean;
  rewrite: string | null;
  timeout_ms: number;
  retries: number;
  headers: RouteHeaders;
  rate_limit_per_minute: number | null;
  enabled: boolean;
}

/** A route as it is stored. */
export interface RouteRow extends RouteFields {
  id: string;
  version: number;
  created_at: Date;
  updated_at: Date;
}

/** A stored route without what only its administration needs. */
export type ServedRow = RouteFields & Pick<RouteRow, 'id'>;

/** What a route has unless it says otherwise. */
export const ROUTE_DEFAULTS = {
  methods: null,
  host: null,
  priority: 0,
  strategy: 'round-robin',
  strip_prefix: false,
  rewrite: null,
  timeout_ms: 30_000,
  retries: 0,
  rate_limit_per_minute: null,
  enabled: true,
} as const satisfies Partial<RouteFields>;

/** The names of the fields, in the order in which changes are told. */
export const ROUTE_FIELDS = [
  ...['path', 'path_type', 'methods', 'host', 'priority', 'upstreams', 'strategy', 'strip_prefix', 'rewrite'],
  ...['timeout_ms', 'retries', 'headers', 'rate_limit_per_minute', 'enabled'],
] as (keyof RouteFields)[];

/** The route as everything after its storing goes by it. */
export const gatewayRouteOf = (tenantId: string, row: ServedRow): GatewayRoute => ({
  id: row.id,
  tenantId,
  path: row.path,
  pathType: row.path_type,
  methods: row.methods,
  host: row.host,
  priority: row.priority,
  upstreams: row.upstreams,
  strategy: row.strategy,
  stripPrefix: row.strip_prefix,
  rewrite: row.rewrite,
  timeoutMs: row.timeout_ms,
  retries: row.retries,
  headers: row.headers,
  rateLimitPerMinute: row.rate_limit_per_minute,
  enabled: row.enabled,
});
