import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query, Res } from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiPreconditionFailedResponse,
  ApiTags,
  ApiUnprocessableEntityResponse,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../common/actor';
import { Access, CurrentActor } from '../../platform/http/access.decorators';
import { type ExpectedVersions, IfMatch, sendEtag } from '../../platform/http/etag';
import { IdParam } from '../../platform/http/id-param';
import { sendPage } from '../../platform/http/page-headers';
import { PageQuery } from '../../platform/http/page.query';
import { RegisterServerDto, UpdateServerDto } from './dto/server.dto';
import { ServerDetailsResponse, serverDetailsResponse, ServerResponse, serverResponse } from './dto/server.response';
import type { ServerView } from './servers.repository';
import { ServersService } from './servers.service';

const IF_MATCH = {
  name: 'If-Match',
  required: false,
  description: 'The `ETag` of the state that the change is meant for',
};
const CHANGED = { description: '`PRECONDITION_FAILED`: the server was changed since' };
const REFUSED = { description: '`WAHA_TOO_OLD`, `WAHA_NOT_RECOGNIZED`, or `IDEMPOTENCY_KEY_REUSED`' };

/** The pool of WAHA servers, for whoever operates the installation. */
@ApiTags('WAHA servers')
@Controller('waha/servers')
export class ServersController {
  constructor(private readonly servers: ServersService) {}

  /** Registers a server, which is asked what it is; new sessions go to the least full one that is up. */
  @Post()
  @Access('servers:manage')
  @ApiCreatedResponse({ type: ServerResponse })
  @ApiConflictResponse({ description: '`SERVER_TAKEN`, or `IDEMPOTENCY_IN_PROGRESS`' })
  @ApiUnprocessableEntityResponse(REFUSED)
  async register(
    @CurrentActor() actor: Actor,
    @Body() { name, base_url, api_key, capacity = null, storage_group = null }: RegisterServerDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ServerResponse> {
    return tagged(reply, await this.servers.register(actor, { name, base_url, api_key, capacity, storage_group }));
  }

  /** All servers, newest first. */
  @Get()
  @Access('servers:manage')
  @ApiOkResponse({ type: [ServerResponse] })
  async list(@Query() query: PageQuery, @Res({ passthrough: true }) reply: FastifyReply): Promise<ServerResponse[]> {
    return sendPage(reply, await this.servers.list(query), query).map(serverResponse);
  }

  /** One server, with the sessions that are leaving it or cannot. */
  @Get(':id')
  @Access('servers:manage')
  @ApiOkResponse({ type: ServerDetailsResponse })
  async get(@IdParam() id: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<ServerDetailsResponse> {
    const server = await this.servers.get(id);
    sendEtag(reply, server.version_no);
    return serverDetailsResponse(server, await this.servers.sessionsOf(id));
  }

  /** Changes what is named; sessions that are there stay, also beyond a smaller capacity. */
  @Patch(':id')
  @Access('servers:manage')
  @ApiHeader(IF_MATCH)
  @ApiOkResponse({ type: ServerResponse })
  @ApiConflictResponse({ description: '`SERVER_TAKEN`, or `SERVER_IN_USE`: what `WAHA_BASE_URL` says' })
  @ApiPreconditionFailedResponse(CHANGED)
  @ApiUnprocessableEntityResponse(REFUSED)
  async update(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Body() { name, base_url, api_key, capacity, storage_group }: UpdateServerDto,
    @IfMatch() expected: ExpectedVersions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ServerResponse> {
    const change = { name, base_url, api_key, capacity, storage_group };
    return tagged(reply, await this.servers.update(actor, id, change, expected));
  }

  /** Sends no new session there, and moves those that are there to servers of the same `storage_group`. */
  @Post(':id/drain')
  @HttpCode(200)
  @Access('servers:manage')
  @ApiOkResponse({ type: ServerResponse })
  async drain(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ServerResponse> {
    return tagged(reply, await this.servers.setState(actor, id, 'draining'));
  }

  /** Uses it again. Sessions that have left do not come back. */
  @Post(':id/activate')
  @HttpCode(200)
  @Access('servers:manage')
  @ApiOkResponse({ type: ServerResponse })
  async activate(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ServerResponse> {
    return tagged(reply, await this.servers.setState(actor, id, 'active'));
  }

  /** Takes it out of the pool; not while it has sessions. */
  @Delete(':id')
  @HttpCode(204)
  @Access('servers:manage')
  @ApiHeader(IF_MATCH)
  @ApiNoContentResponse()
  @ApiConflictResponse({ description: '`SERVER_IN_USE`: drain it first' })
  @ApiPreconditionFailedResponse(CHANGED)
  async delete(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @IfMatch() expected: ExpectedVersions,
  ): Promise<void> {
    await this.servers.remove(actor, id, expected);
  }
}

function tagged(reply: FastifyReply, server: ServerView): ServerResponse {
  sendEtag(reply, server.version_no);
  return serverResponse(server);
}
