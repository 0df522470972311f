import { applyDecorators, Body, Controller, Delete, Get, HttpCode, Patch, Post, Put, Query, Res } from '@nestjs/common';
import { ApiConflictResponse, ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../../common/actor';
import { Access, CurrentActor } from '../../../platform/http/access.decorators';
import { ChangesVersioned, type ExpectedVersions, IfMatch, sendEtag } from '../../../platform/http/etag';
import { IdParam } from '../../../platform/http/id-param';
import { sendPage } from '../../../platform/http/page-headers';
import { PageQuery } from '../../../platform/http/page.query';
import { NotIdempotent } from '../../../platform/idempotency/not-idempotent.decorator';
import { RouteDto, routeChangeOf, routeFieldsOf, TryRouteDto, UpdateRouteDto } from './dto/route.dto';
import { RouteResponse, routeResponse, TryRouteResponse, tryRouteResponse } from './dto/route.response';
import { GatewayRoutesService, type RouteWithWarnings } from './gateway-routes.service';
import { RouteTrial } from './route-trial.service';

const CHANGED = 'the route was changed since';
const TAKEN = { description: '`GATEWAY_ROUTE_CONFLICT`, or `GATEWAY_ROUTE_LIMIT`' };

const SHOWS_SECRETS = 'The answer shows the values of headers, which may be secrets';

/** What all handlers have in common that change a route and answer it. */
const ChangesRoute = (): MethodDecorator =>
  applyDecorators(
    Access('gateway:manage'),
    NotIdempotent(SHOWS_SECRETS),
    ChangesVersioned(CHANGED),
    ApiOkResponse({ type: RouteResponse }),
    ApiConflictResponse(TAKEN),
  );

/** The tenant's own services behind this one. */
@ApiTags('Gateway')
@Controller('gateway/routes')
export class GatewayRoutesController {
  constructor(
    private readonly routes: GatewayRoutesService,
    private readonly trial: RouteTrial,
  ) {}

  /** Makes a route. It serves from the next request on. */
  @Post()
  @Access('gateway:manage')
  @NotIdempotent(SHOWS_SECRETS)
  @ApiCreatedResponse({ type: RouteResponse })
  @ApiConflictResponse(TAKEN)
  async create(
    @CurrentActor() actor: Actor,
    @Body() body: RouteDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RouteResponse> {
    return answer(reply, await this.routes.create(actor, routeFieldsOf(body)));
  }

  /** Which route would take a request, and what its upstreams would be asked for. None of them is. */
  @Post('test')
  @HttpCode(200)
  @Access('gateway:manage')
  @NotIdempotent(SHOWS_SECRETS)
  @ApiOkResponse({ type: TryRouteResponse })
  async test(@CurrentActor() actor: Actor, @Body() { method, path, host }: TryRouteDto): Promise<TryRouteResponse> {
    return tryRouteResponse(
      await this.trial.outcomeOf(actor, { method, path, ...(host === undefined ? {} : { host }) }),
    );
  }

  /** The tenant's routes, newest first. */
  @Get()
  @Access('gateway:manage')
  @ApiOkResponse({ type: [RouteResponse] })
  async list(
    @CurrentActor() actor: Actor,
    @Query() query: PageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RouteResponse[]> {
    const rows = sendPage(reply, await this.routes.list(actor, query), query);
    return Promise.all(rows.map(async (row) => routeResponse(await this.routes.withWarnings(row))));
  }

  /** One route. */
  @Get(':id')
  @Access('gateway:manage')
  @ApiOkResponse({ type: RouteResponse })
  async get(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RouteResponse> {
    return answer(reply, await this.routes.get(actor, id));
  }

  /** Replaces the route: what is not named has its default. */
  @Put(':id')
  @ChangesRoute()
  async replace(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Body() body: RouteDto,
    @IfMatch() expected: ExpectedVersions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RouteResponse> {
    return answer(reply, await this.routes.update(actor, id, routeFieldsOf(body), expected));
  }

  /** Changes what is named; lists and `headers` are replaced whole. */
  @Patch(':id')
  @ChangesRoute()
  async update(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Body() body: UpdateRouteDto,
    @IfMatch() expected: ExpectedVersions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RouteResponse> {
    return answer(reply, await this.routes.update(actor, id, routeChangeOf(body), expected));
  }

  /** Removes the route. Requests that it has taken come to their end. */
  @Delete(':id')
  @HttpCode(204)
  @Access('gateway:manage')
  @ChangesVersioned(CHANGED)
  @ApiNoContentResponse()
  async remove(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @IfMatch() expected: ExpectedVersions,
  ): Promise<void> {
    await this.routes.remove(actor, id, expected);
  }
}

function answer(reply: FastifyReply, route: RouteWithWarnings): RouteResponse {
  sendEtag(reply, route.row.version);
  return routeResponse(route);
}
