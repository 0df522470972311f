import { ApiProperty } from '@nestjs/swagger';
import type { HealthFinding, HealthStatus } from '../../../platform/health/health-registry';

const STATUSES: HealthStatus[] = ['healthy', 'degraded', 'unhealthy'];

/** How the service is, in one word. */
export class HealthResponse {
  @ApiProperty({ enum: STATUSES })
  status: HealthStatus;

  @ApiProperty({ format: 'date-time' })
  timestamp: string;

  @ApiProperty({ example: '1.0.0' })
  version: string;

  @ApiProperty({ description: 'Whole seconds since the process began' })
  uptime_s: number;
}

/** The database, for whoever waits for it. */
export class DatabaseHealthResponse {
  @ApiProperty({ enum: ['healthy'] })
  status: 'healthy';

  @ApiProperty()
  migrated: boolean;

  @ApiProperty({ format: 'double', description: 'Round trip of an empty statement' })
  latency_ms: number;
}

/** The process takes traffic. */
export class ReadyResponse {
  @ApiProperty({ enum: ['ready'] })
  status: 'ready';
}

class MemoryResponse {
  @ApiProperty()
  rss_bytes: number;

  @ApiProperty()
  heap_used_bytes: number;

  @ApiProperty()
  heap_total_bytes: number;

  @ApiProperty()
  external_bytes: number;
}

class EventLoopResponse {
  @ApiProperty({ format: 'double', description: 'Delay of the event loop that 99 of 100 turns stay below' })
  delay_p99_ms: number;
}

/** How each part of the service is. */
export class HealthDetailsResponse extends HealthResponse {
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'object', additionalProperties: true },
    description: 'By the name of the part: `status` up or down, `kind` critical, degrading or info, and what it shows',
  })
  checks: Record<string, HealthFinding>;

  @ApiProperty({ type: MemoryResponse })
  memory: MemoryResponse;

  @ApiProperty({ type: EventLoopResponse })
  event_loop: EventLoopResponse;
}
