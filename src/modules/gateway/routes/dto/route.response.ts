import { ApiProperty } from '@nestjs/swagger';
import { PATH_TYPES, type PathType, STRATEGIES, type Strategy } from '../../gateway-route';
import type { RouteWithWarnings } from '../gateway-routes.service';
import type { TrialOutcome } from '../route-trial.service';

/** A service behind a route. */
export class UpstreamResponse {
  url: string;
  weight: number;
}

/** Header fields of the requests to the upstream. */
export class RouteHeadersResponse {
  /** Values by name, in lower case. */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' } })
  set: Record<string, string>;
  remove: string[];
}

/** A route of the tenant's gateway. */
export class RouteResponse {
  id: string;
  path: string;
  @ApiProperty({ enum: PATH_TYPES })
  path_type: PathType;
  /** In upper case; null: all. */
  @ApiProperty({ type: [String], nullable: true })
  methods: string[] | null;
  /** Null: any. */
  @ApiProperty({ type: String, nullable: true })
  host: string | null;
  priority: number;
  upstreams: UpstreamResponse[];
  @ApiProperty({ enum: STRATEGIES })
  strategy: Strategy;
  strip_prefix: boolean;
  @ApiProperty({ type: String, nullable: true })
  rewrite: string | null;
  timeout_ms: number;
  retries: number;
  headers: RouteHeadersResponse;
  /** Null: none of its own. */
  @ApiProperty({ type: Number, nullable: true })
  rate_limit_per_minute: number | null;
  enabled: boolean;
  /** What its author should know of it: paths that the API takes for itself, names of upstreams that nobody knows yet. */
  warnings: string[];
  created_at: Date;
  updated_at: Date;
}

/** What would become of a request. */
export class TryRouteResponse {
  /** Null where no route takes it. */
  @ApiProperty({ type: RouteResponse, nullable: true })
  route: RouteResponse | null;
  /** What an upstream would be asked for after its own path, with the query; null where no route takes it. */
  @ApiProperty({ type: String, nullable: true })
  target: string | null;
  /** The same of each upstream, whole. */
  urls: string[];
}

/** Lists each field by hand: a new column stays private until somebody adds it. */
export const routeResponse = ({ row, warnings }: RouteWithWarnings): RouteResponse => ({
  id: row.id,
  path: row.path,
  path_type: row.path_type,
  methods: row.methods,
  host: row.host,
  priority: row.priority,
  upstreams: row.upstreams.map(({ url, weight }) => ({ url, weight })),
  strategy: row.strategy,
  strip_prefix: row.strip_prefix,
  rewrite: row.rewrite,
  timeout_ms: row.timeout_ms,
  retries: row.retries,
  headers: { set: row.headers.set, remove: row.headers.remove },
  rate_limit_per_minute: row.rate_limit_per_minute,
  enabled: row.enabled,
  warnings,
  created_at: row.created_at,
  updated_at: row.updated_at,
});

/** The same of what a request would come to. */
export const tryRouteResponse = ({ route, target, urls }: TrialOutcome): TryRouteResponse => ({
  route: route && routeResponse(route),
  target,
  urls,
});
