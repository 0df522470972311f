import { Body, Controller, Delete, Get, Header, HttpCode, Patch, Post, Query, Res } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiForbiddenResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiPreconditionFailedResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../common/actor';
import { Access, CurrentActor } from '../../platform/http/access.decorators';
import { type ExpectedVersions, IfMatch, sendEtag } from '../../platform/http/etag';
import { IdParam } from '../../platform/http/id-param';
import { sendPage } from '../../platform/http/page-headers';
import { PageQuery } from '../../platform/http/page.query';
import { NotIdempotent } from '../../platform/idempotency/not-idempotent.decorator';
import { ApiKeysService } from './api-keys.service';
import { changeOf, CreateApiKeyDto, RotateApiKeyDto, settingsOf, UpdateApiKeyDto } from './dto/api-key.dto';
import { ApiKeyResponse, apiKeyResponse, FreshApiKeyResponse, freshApiKeyResponse } from './dto/api-key.response';

const SHOWS_A_SECRET = 'The answer shows a secret, which is not kept to be shown again';
const BEYOND = {
  description:
    'The role does not include this, or the key holds more than the caller; `KEY_BOUNDS_EXCEEDED` where it is bound looser',
};

const IF_MATCH = {
  name: 'If-Match',
  required: false,
  description: 'The `ETag` of the state that the change is meant for',
};
const CHANGED = { description: '`PRECONDITION_FAILED`: the key was changed since' };

/** Service accounts. */
@ApiTags('API keys')
@Controller('api-keys')
export class ApiKeysController {
  constructor(private readonly keys: ApiKeysService) {}

  /** Makes a key and shows it, this once. */
  @Post()
  @Header('Cache-Control', 'no-store')
  @Access('api-keys:manage')
  @NotIdempotent(SHOWS_A_SECRET)
  @ApiCreatedResponse({ type: FreshApiKeyResponse })
  @ApiForbiddenResponse(BEYOND)
  async create(
    @CurrentActor() actor: Actor,
    @Body() body: CreateApiKeyDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<FreshApiKeyResponse> {
    const made = await this.keys.create(actor, settingsOf(body));
    sendEtag(reply, made.row.version);
    return freshApiKeyResponse(made);
  }

  /** The tenant's keys, newest first; revoked ones are gone. */
  @Get()
  @Access('api-keys:manage')
  @ApiOkResponse({ type: [ApiKeyResponse] })
  async list(
    @CurrentActor() actor: Actor,
    @Query() query: PageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ApiKeyResponse[]> {
    return sendPage(reply, await this.keys.list(actor, query), query).map(apiKeyResponse);
  }

  /** One key. */
  @Get(':id')
  @Access('api-keys:manage')
  async get(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ApiKeyResponse> {
    const row = await this.keys.get(actor, id);
    sendEtag(reply, row.version);
    return apiKeyResponse(row);
  }

  /** Changes what is named; role and scopes replace each other, `null` lifts a bound. */
  @Patch(':id')
  @Access('api-keys:manage')
  @ApiHeader(IF_MATCH)
  @ApiForbiddenResponse(BEYOND)
  @ApiPreconditionFailedResponse(CHANGED)
  async update(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Body() body: UpdateApiKeyDto,
    @IfMatch() expected: ExpectedVersions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ApiKeyResponse> {
    const row = await this.keys.update(actor, id, { settings: changeOf(body), expected });
    sendEtag(reply, row.version);
    return apiKeyResponse(row);
  }

  /** Revokes the key: it and its access tokens are refused from now on. */
  @Delete(':id')
  @HttpCode(204)
  @Access('api-keys:manage')
  @ApiHeader(IF_MATCH)
  @ApiNoContentResponse()
  @ApiPreconditionFailedResponse(CHANGED)
  async revoke(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @IfMatch() expected: ExpectedVersions,
  ): Promise<void> {
    await this.keys.revoke(actor, id, expected);
  }

  /** Gives the key another secret and shows it, this once; the one before works on for `grace_s` seconds. */
  @Post(':id/rotate')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Access('api-keys:manage')
  @NotIdempotent(SHOWS_A_SECRET)
  @ApiHeader(IF_MATCH)
  @ApiOkResponse({ type: FreshApiKeyResponse })
  @ApiForbiddenResponse(BEYOND)
  @ApiPreconditionFailedResponse(CHANGED)
  async rotate(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Body() body: RotateApiKeyDto,
    @IfMatch() expected: ExpectedVersions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<FreshApiKeyResponse> {
    const graceS = body.grace_s ?? new RotateApiKeyDto().grace_s ?? 0;
    const rotated = await this.keys.rotate(actor, id, { graceS, expected });
    sendEtag(reply, rotated.row.version);
    return freshApiKeyResponse(rotated);
  }
}
