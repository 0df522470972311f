import { Body, Controller, Get, HttpCode, Post, Query, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiConflictResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiTags,
  ApiTooManyRequestsResponse,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import { Access, CurrentActor } from '../../platform/http/access.decorators';
import { IdParam } from '../../platform/http/id-param';
import { sendPage } from '../../platform/http/page-headers';
import { chatAddress } from './chat-address';
import { ListMessagesQuery } from './dto/list-messages.query';
import { messageEventResponse, MessageEventResponse, messageResponse, MessageResponse } from './dto/message.response';
import { SendMessageDto } from './dto/send-message.dto';
import type { MessageFilter } from './messages.repository';
import { MessagesService } from './messages.service';

@ApiTags('Messages')
@Controller('messages')
export class MessagesController {
  constructor(private readonly messages: MessagesService) {}

  /** Takes a message into the queue: 202 once it is durable. Ask for it by its id to see it sent, delivered and read. */
  @Post('send')
  @HttpCode(202)
  @Access('messages:send')
  @ApiAcceptedResponse({ type: MessageResponse })
  @ApiNotFoundResponse({ description: 'There is no such session, or `X-Tenant-ID` names no tenant of the caller' })
  @ApiConflictResponse({
    description: '`SESSION_REQUIRED`: no session, or several and none named; `IDEMPOTENCY_IN_PROGRESS`',
  })
  @ApiTooManyRequestsResponse({
    description: "`QUOTA_EXCEEDED`: the tenant's messages of the day are used up, until `Retry-After`; `RATE_LIMITED`",
  })
  async send(@CurrentActor() actor: Actor, @Body() dto: SendMessageDto): Promise<MessageResponse> {
    const { session_id: sessionId, to, text, link_preview: linkPreview = true, metadata = {} } = dto;
    return messageResponse(await this.messages.send(actor, { sessionId, to, text, linkPreview, metadata }));
  }

  /** Messages sent and received, newest first. */
  @Get()
  @Access('messages:read')
  @ApiOkResponse({ type: [MessageResponse] })
  async list(
    @CurrentActor() actor: Actor,
    @Query() query: ListMessagesQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MessageResponse[]> {
    return sendPage(reply, await this.messages.list(actor, filterOf(query), query), query).map(messageResponse);
  }

  /** One message. */
  @Get(':id')
  @Access('messages:read')
  @ApiOkResponse({ type: MessageResponse })
  async get(@CurrentActor() actor: Actor, @IdParam() id: string): Promise<MessageResponse> {
    return messageResponse(await this.messages.get(actor, id));
  }

  /** Its history: every status, attempt and error, oldest first. */
  @Get(':id/events')
  @Access('messages:read')
  @ApiOkResponse({ type: [MessageEventResponse] })
  async events(@CurrentActor() actor: Actor, @IdParam() id: string): Promise<MessageEventResponse[]> {
    return (await this.messages.history(actor, id)).map(messageEventResponse);
  }
}

function filterOf({
  session_id: sessionId,
  chat,
  direction,
  status,
  type,
  from,
  to,
}: ListMessagesQuery): MessageFilter {
  const chatId = chat === undefined ? undefined : chatAddress(chat);
  if (chatId === null) throw CommonErrors.invalidField('chat', 'chat must be a phone number or a WhatsApp chat id');
  return { sessionId, chat: chatId, direction, status, type, from, to };
}
