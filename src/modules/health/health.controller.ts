import { Controller, Get, Header, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Access, Public, Unlimited } from '../../platform/http/access.decorators';
import { DatabaseHealthResponse, HealthDetailsResponse, HealthResponse, ReadyResponse } from './dto/health.response';
import { HealthService } from './health.service';

const PROBED = 'Probes of load balancers and orchestrators carry no credential';
const OFTEN = 'Probes come often, and the checks behind are asked once a second at most';

/** How the service is. */
@ApiTags('Health')
@Controller()
export class HealthController {
  constructor(private readonly health: HealthService) {}

  /** The whole in one word. Redis or WAHA away is degraded; PostgreSQL away is unhealthy, and 503. */
  @Get('health')
  @Header('Cache-Control', 'no-store')
  @Public(PROBED)
  @Unlimited(OFTEN)
  @ApiOkResponse({ type: HealthResponse })
  @ApiServiceUnavailableResponse({ type: HealthResponse, description: 'Unhealthy; the fields of an error as well' })
  async summary(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<HealthResponse> {
    const summary = await this.health.summary();
    if (summary.status !== 'unhealthy') return summary;
    void reply.code(503);
    const error = { error: 'The service is unhealthy', code: 'SERVICE_UNAVAILABLE', requestId: request.id };
    return { ...summary, ...error };
  }

  /** Whether the database can be reached and is migrated. */
  @Get('health/db')
  @Header('Cache-Control', 'no-store')
  @Public(PROBED)
  @Unlimited(OFTEN)
  @ApiOkResponse({ type: DatabaseHealthResponse })
  database(): Promise<DatabaseHealthResponse> {
    return this.health.database();
  }

  /** Whether this process should get traffic: migrated, and not shutting down. */
  @Get('ready')
  @Header('Cache-Control', 'no-store')
  @Public(PROBED)
  @Unlimited(OFTEN)
  @ApiOkResponse({ type: ReadyResponse })
  ready(): Promise<ReadyResponse> {
    return this.health.ready();
  }

  /** Every part: PostgreSQL and its pools, Redis, WAHA, the queue, the cache, memory, the event loop. */
  @Get('health/details')
  @Header('Cache-Control', 'no-store')
  @Access('health:details')
  @Unlimited(OFTEN)
  @ApiOkResponse({ type: HealthDetailsResponse })
  details(): Promise<HealthDetailsResponse> {
    return this.health.details();
  }
}
