import { Body, Controller, Delete, Get, Headers, HttpCode, Patch, Post, Query, Res } from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiExtraModels,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiPaymentRequiredResponse,
  ApiPreconditionFailedResponse,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../common/actor';
import { preferredType } from '../../platform/http/accepts';
import { Access, CurrentActor } from '../../platform/http/access.decorators';
import { type ExpectedVersions, IfMatch, sendEtag } from '../../platform/http/etag';
import { IdParam } from '../../platform/http/id-param';
import { NotIdempotent } from '../../platform/idempotency/not-idempotent.decorator';
import { sendPage } from '../../platform/http/page-headers';
import { PageQuery } from '../../platform/http/page.query';
import { paceChangeOf, quietHoursResponse as quietHoursOf } from '../tenants/dto/pace.dto';
import { CreateSessionDto, UpdateSessionDto } from './dto/create-session.dto';
import { PairingCodeDto } from './dto/pairing-code.dto';
import { QrQuery } from './dto/qr.query';
import {
  PairingCodeResponse,
  QrImageResponse,
  QrValueResponse,
  sessionResponse,
  SessionResponse,
} from './dto/session.response';
import { SessionPairing } from './session-pairing.service';
import { SessionSettingsService } from './session-settings.service';
import { type SessionAction, SessionsService } from './sessions.service';

const QR_CONTENT = {
  'application/json': {
    schema: { oneOf: [{ $ref: getSchemaPath(QrImageResponse) }, { $ref: getSchemaPath(QrValueResponse) }] },
  },
  'image/png': { schema: { type: 'string', format: 'binary' } },
};

/** WhatsApp numbers. */
@ApiTags('Sessions')
@Controller('waha/sessions')
export class SessionsController {
  constructor(
    private readonly sessions: SessionsService,
    private readonly settings: SessionSettingsService,
    private readonly pairing: SessionPairing,
  ) {}

  /** Creates a WhatsApp session and starts it; scan its QR code next. */
  @Post()
  @Access('sessions:manage')
  @ApiCreatedResponse({ type: SessionResponse })
  @ApiPaymentRequiredResponse({ description: '`PLAN_LIMIT_REACHED`: the tenant has as many sessions as it may' })
  @ApiConflictResponse({ description: '`SESSION_NAME_TAKEN`, or `IDEMPOTENCY_IN_PROGRESS`' })
  async create(@CurrentActor() actor: Actor, @Body() dto: CreateSessionDto): Promise<SessionResponse> {
    const { name, metadata = {}, quiet_hours: quiet = null } = dto;
    const pace = await this.settings.paceOf(actor, paceChangeOf(dto.pace ?? {}));
    return sessionResponse(
      await this.sessions.create(actor, { name, pace, quietHours: quietHoursOf(quiet), metadata }),
    );
  }

  /** The tenant's sessions, newest first. */
  @Get()
  @Access('sessions:read')
  @ApiOkResponse({ type: [SessionResponse] })
  async list(
    @CurrentActor() actor: Actor,
    @Query() query: PageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SessionResponse[]> {
    return sendPage(reply, await this.sessions.list(actor, query), query).map(sessionResponse);
  }

  /** One session with its state. */
  @Get(':id')
  @Access('sessions:read')
  @ApiOkResponse({ type: SessionResponse })
  async get(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SessionResponse> {
    const session = await this.sessions.get(actor, id);
    sendEtag(reply, session.version);
    return sessionResponse(session);
  }

  /** Changes what is named: what waits to be sent goes at the new pace from now on. */
  @Patch(':id')
  @Access('sessions:manage')
  @ApiHeader({ name: 'If-Match', required: false, description: 'The `ETag` of the state that the change is meant for' })
  @ApiOkResponse({ type: SessionResponse })
  @ApiConflictResponse({ description: '`SESSION_NAME_TAKEN`, or `IDEMPOTENCY_IN_PROGRESS`' })
  @ApiPreconditionFailedResponse({ description: '`PRECONDITION_FAILED`: the session was changed since' })
  async update(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Body() dto: UpdateSessionDto,
    @IfMatch() expected: ExpectedVersions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SessionResponse> {
    const { name, pace = {}, metadata, quiet_hours: quiet } = dto;
    const change = {
      name,
      metadata,
      pace: paceChangeOf(pace),
      quiet_hours: quiet === undefined ? quiet : quietHoursOf(quiet),
    };
    await this.settings.update(actor, id, change, expected);
    return this.get(actor, id, reply);
  }

  /** The QR code to scan: a PNG where `Accept` prefers `image/png`, else base64 in JSON; `format=raw` the value. */
  @Get(':id/qr')
  @Access('sessions:pair')
  @ApiExtraModels(QrImageResponse, QrValueResponse)
  @ApiOkResponse({ description: 'The code, which is renewed every 20 to 60 seconds', content: QR_CONTENT })
  @ApiConflictResponse({ description: '`SESSION_NOT_READY`: there is nothing to scan; the status is in the text' })
  async qr(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Query() { format }: QrQuery,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<QrImageResponse | QrValueResponse | Buffer> {
    if (format === 'raw') return { value: await this.pairing.qrValue(actor, id) };
    const image = await this.pairing.qrImage(actor, id);
    if (preferredType(accept, ['application/json', 'image/png']) === 'application/json') return image;
    reply.type(image.mimetype);
    return Buffer.from(image.data, 'base64');
  }

  /** A code to type in on the phone of that number instead of scanning (Linked devices, Link with phone number). */
  @Post(':id/pairing-code')
  @HttpCode(200)
  @Access('sessions:manage')
  @NotIdempotent('It answers a secret of a minute')
  @ApiOkResponse({ type: PairingCodeResponse })
  @ApiConflictResponse({ description: '`SESSION_NOT_READY`: it does not wait to be paired; the status is in the text' })
  async pairingCode(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Body() { phone_number: phoneNumber }: PairingCodeDto,
  ): Promise<PairingCodeResponse> {
    return { code: await this.pairing.pairingCode(actor, id, phoneNumber) };
  }

  /** Starts a stopped or failed session; one that runs is left alone. */
  @Post(':id/start')
  @HttpCode(200)
  @Access('sessions:manage')
  @ApiOkResponse({ type: SessionResponse })
  start(@CurrentActor() actor: Actor, @IdParam() id: string): Promise<SessionResponse> {
    return this.act(actor, id, 'start');
  }

  /** Stops the session; its messages wait. */
  @Post(':id/stop')
  @HttpCode(200)
  @Access('sessions:manage')
  @ApiOkResponse({ type: SessionResponse })
  stop(@CurrentActor() actor: Actor, @IdParam() id: string): Promise<SessionResponse> {
    return this.act(actor, id, 'stop');
  }

  /** Stops and starts the session. */
  @Post(':id/restart')
  @HttpCode(200)
  @Access('sessions:manage')
  @ApiOkResponse({ type: SessionResponse })
  restart(@CurrentActor() actor: Actor, @IdParam() id: string): Promise<SessionResponse> {
    return this.act(actor, id, 'restart');
  }

  /** Unlinks the number; the session stays and asks for a new scan. */
  @Post(':id/logout')
  @HttpCode(200)
  @Access('sessions:manage')
  @ApiOkResponse({ type: SessionResponse })
  logout(@CurrentActor() actor: Actor, @IdParam() id: string): Promise<SessionResponse> {
    return this.act(actor, id, 'logout');
  }

  /** Unlinks and deletes: what is queued is cancelled, history stays. */
  @Delete(':id')
  @HttpCode(204)
  @Access('sessions:manage')
  @ApiNoContentResponse()
  async delete(@CurrentActor() actor: Actor, @IdParam() id: string): Promise<void> {
    await this.sessions.delete(actor, id);
  }

  private async act(actor: Actor, id: string, action: SessionAction): Promise<SessionResponse> {
    return sessionResponse(await this.sessions.act(actor, id, action));
  }
}
