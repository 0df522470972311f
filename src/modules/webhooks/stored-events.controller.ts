import { Controller, Get, HttpCode, Post, Query, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiConflictResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../common/actor';
import { Access, CurrentActor } from '../../platform/http/access.decorators';
import { IdParam } from '../../platform/http/id-param';
import { sendPage } from '../../platform/http/page-headers';
import { ListStoredEventsQuery } from './dto/list-stored-events.query';
import {
  storedEventResponse,
  StoredEventResponse,
  storedEventWithBodyResponse,
  StoredEventWithBodyResponse,
} from './dto/stored-event.response';
import { StoredEvents } from './stored-events.service';

/** What WAHA has posted, and what was made of it. */
@ApiTags('Webhooks')
@Controller('webhooks/events')
export class StoredEventsController {
  constructor(private readonly events: StoredEvents) {}

  /** Events of one status, newest first: those that could not be applied, unless told otherwise. */
  @Get()
  @Access('webhooks:manage')
  @ApiOkResponse({ type: [StoredEventResponse] })
  async list(
    @CurrentActor() actor: Actor,
    @Query() query: ListStoredEventsQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StoredEventResponse[]> {
    const { status, session_id: sessionId, event } = query;
    const page = await this.events.list(actor, { status, sessionId, event }, query);
    return sendPage(reply, page, query).map(storedEventResponse);
  }

  /** One event with its body. One that failed counts as looked at from then on: it is kept for another 14 days. */
  @Get(':id')
  @Access('webhooks:manage')
  @ApiOkResponse({ type: StoredEventWithBodyResponse })
  async get(@CurrentActor() actor: Actor, @IdParam() id: string): Promise<StoredEventWithBodyResponse> {
    return storedEventWithBodyResponse(await this.events.get(actor, id));
  }

  /** Has an event applied again that `failed` or was `ignored`, in its old place: 202, and soon it is tried. */
  @Post(':id/replay')
  @HttpCode(202)
  @Access('webhooks:manage')
  @ApiAcceptedResponse({ type: StoredEventResponse })
  @ApiConflictResponse({ description: '`EVENT_STATE`: it is applied, or waits to be; `IDEMPOTENCY_IN_PROGRESS`' })
  async replay(@CurrentActor() actor: Actor, @IdParam() id: string): Promise<StoredEventResponse> {
    return storedEventResponse(await this.events.replay(actor, id));
  }
}
