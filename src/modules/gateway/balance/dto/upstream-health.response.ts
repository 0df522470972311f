import { ApiProperty } from '@nestjs/swagger';
import type { UpstreamStanding } from '../upstream-health.service';
import { UPSTREAM_STATES, type UpstreamState } from '../upstream-view';

/** How an upstream of the tenant's routes stands, as seen by all processes that sent requests to it lately. */
export class UpstreamHealthResponse {
  /** @example https://orders.example.com/v2 */
  url: string;

  /** The routes that name it. */
  @ApiProperty({ type: [String], format: 'uuid' })
  route_ids: string[];

  /**
   * The worst that any process knows: `healthy`; `suspect` (it has just failed: others are preferred); `ejected` (it gets
   * nothing until `ejected_until`); `probing` (one request at a time finds out whether it has recovered); `unknown` (no
   * request went there lately).
   */
  @ApiProperty({ enum: UPSTREAM_STATES })
  state: UpstreamState;

  /** Since its last good answer. */
  @ApiProperty({ type: 'integer' })
  consecutive_failures: number;

  /** When the pause ends; null where it is not avoided. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  ejected_until: Date | null;

  /** Moving mean of the time to the head of its answers, in milliseconds; null before the first. @example 12.4 */
  @ApiProperty({ type: Number, format: 'double', nullable: true })
  latency_ms: number | null;

  /** Requests on their way to it. */
  @ApiProperty({ type: 'integer' })
  in_flight: number;

  /** Processes that report it. */
  @ApiProperty({ type: 'integer' })
  processes: number;

  /** False while Redis is away: then it is the view of the process that answered, alone. */
  shared: boolean;
}

/** Where no process has sent anything there. */
const UNKNOWN = {
  state: 'unknown',
  failuresInARow: 0,
  untilMs: null,
  latencyMs: null,
  inFlight: 0,
  processes: 0,
} as const;

/** Lists each field by hand. */
export function upstreamHealthResponse({ url, routeIds, view, shared }: UpstreamStanding): UpstreamHealthResponse {
  const { state, failuresInARow, untilMs, latencyMs, inFlight, processes } = view ?? UNKNOWN;
  return {
    url,
    route_ids: routeIds,
    state,
    consecutive_failures: failuresInARow,
    ejected_until: untilMs === null ? null : new Date(untilMs),
    latency_ms: latencyMs === null ? null : Math.round(latencyMs * 10) / 10,
    in_flight: inFlight,
    processes,
    shared,
  };
}
