import { Controller, Get, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../../common/actor';
import { Access, CurrentActor } from '../../../platform/http/access.decorators';
import { OrderedPageQuery } from '../../../platform/http/page.query';
import { sendPage } from '../../../platform/http/page-headers';
import { UpstreamHealthResponse, upstreamHealthResponse } from './dto/upstream-health.response';
import { UpstreamHealthService } from './upstream-health.service';

/** The services behind the tenant's routes. */
@ApiTags('Gateway')
@Controller('gateway/upstreams')
export class UpstreamsController {
  constructor(private readonly upstreams: UpstreamHealthService) {}

  /** Each upstream of the tenant's routes with its state, by address. */
  @Get('health')
  @Access('gateway:health')
  @ApiOkResponse({ type: [UpstreamHealthResponse] })
  async health(
    @CurrentActor() actor: Actor,
    @Query() query: OrderedPageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UpstreamHealthResponse[]> {
    return sendPage(reply, await this.upstreams.list(actor, query), query).map(upstreamHealthResponse);
  }
}
