import { Body, Controller, Get, HttpCode, Post, Query, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiConflictResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiPaymentRequiredResponse,
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
import {
  messageEventResponse,
  MessageEventResponse,
  messageResponse,
  MessageResponse,
  viewedMessageResponse,
} from './dto/message.response';
import { RetryMessageDto, SendMessageDto } from './dto/send-message.dto';
import { MessageActions } from './message-actions.service';
import type { MessageFilter } from './message-walk';
import { MessagesService } from './messages.service';

@ApiTags('Messages')
@Controller('messages')
export class MessagesController {
  constructor(
    private readonly messages: MessagesService,
    private readonly actions: MessageActions,
  ) {}

  /** Takes a message into the queue: 202 once it is durable. Ask for it by its id to see it sent, delivered and read. */
  @Post('send')
  @HttpCode(202)
  @Access('messages:send')
  @ApiAcceptedResponse({ type: MessageResponse })
  @ApiNotFoundResponse({
    description: 'There is no such session, template or file, or `X-Tenant-ID` names no tenant of the caller',
  })
  @ApiConflictResponse({
    description:
      '`SESSION_REQUIRED`: no session, or several and none named; `MESSAGE_STATE`: the message to answer has not been sent; ' +
      '`IDEMPOTENCY_IN_PROGRESS`',
  })
  @ApiPaymentRequiredResponse({
    description: '`PLAN_LIMIT_REACHED`: the storage of the tenant is full, and a file is sent',
  })
  @ApiTooManyRequestsResponse({
    description: "`QUOTA_EXCEEDED`: the tenant's messages of the day are used up, until `Retry-After`; `RATE_LIMITED`",
  })
  async send(@CurrentActor() actor: Actor, @Body() dto: SendMessageDto): Promise<MessageResponse> {
    return messageResponse(await this.messages.send(actor, draftOf(dto)));
  }

  /**
   * Messages sent and received, newest first. What is rare among many (`q`, or two filters at once) is looked for in 50,000
   * messages at a time: a page may hold fewer than `limit`, even none, and still have a next one in `Link`.
   */
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

  /** One message, with the reactions to it. */
  @Get(':id')
  @Access('messages:read')
  @ApiOkResponse({ type: MessageResponse })
  async get(@CurrentActor() actor: Actor, @IdParam() id: string): Promise<MessageResponse> {
    const { message, reactions } = await this.messages.view(actor, id);
    return viewedMessageResponse(message, reactions);
  }

  /**
   * Its history: every status, attempt and error, oldest first. Edits and revocations are entries with the status that it had
   * then, and say so in `note`.
   */
  @Get(':id/events')
  @Access('messages:read')
  @ApiOkResponse({ type: [MessageEventResponse] })
  async events(@CurrentActor() actor: Actor, @IdParam() id: string): Promise<MessageEventResponse[]> {
    return (await this.messages.history(actor, id)).map(messageEventResponse);
  }

  /** Takes a message that is `scheduled` or `queued` out of the queue. One that is cancelled already is answered as it is. */
  @Post(':id/cancel')
  @HttpCode(200)
  @Access('messages:send')
  @ApiOkResponse({ type: MessageResponse })
  @ApiConflictResponse({ description: '`MESSAGE_STATE`: it has left, or has ended; `IDEMPOTENCY_IN_PROGRESS`' })
  async cancel(@CurrentActor() actor: Actor, @IdParam() id: string): Promise<MessageResponse> {
    return messageResponse(await this.actions.cancel(actor, id));
  }

  /**
   * Queues a message again that is `failed` or `expired`, at once and in its old place. What may have been sent (`unknown`,
   * `stalled`) needs `{"force": true}`. Of a message that came in, the file that could not be had (`media.state` is `failed`) is
   * asked of WAHA again, which keeps it for some minutes.
   */
  @Post(':id/retry')
  @HttpCode(202)
  @Access('messages:send')
  @ApiAcceptedResponse({ type: MessageResponse })
  @ApiConflictResponse({
    description:
      '`FORCE_REQUIRED`: it may have been sent; `MESSAGE_STATE`: it is in no status to be retried, or its session is deleted; ' +
      '`IDEMPOTENCY_IN_PROGRESS`',
  })
  async retry(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Body() dto: RetryMessageDto,
  ): Promise<MessageResponse> {
    return messageResponse(await this.actions.retry(actor, id, dto.force ?? false));
  }
}

const draftOf = ({ session_id, link_preview = true, reply_to, scheduled_at, expires_at, ...dto }: SendMessageDto) => ({
  ...{ sessionId: session_id, to: dto.to, type: dto.type, metadata: dto.metadata ?? {}, linkPreview: link_preview },
  ...{ templateId: dto.template_id, variables: dto.variables },
  ...{ text: dto.text, location: dto.location, contact: dto.contact, poll: dto.poll, media: dto.media },
  ...{ replyTo: reply_to, scheduledAt: scheduled_at, expiresAt: expires_at },
});

function filterOf({
  session_id: sessionId,
  campaign_id: campaignId,
  chat,
  direction,
  status,
  type,
  from,
  to,
  q,
}: ListMessagesQuery): MessageFilter {
  const chatId = chat === undefined ? undefined : chatAddress(chat);
  if (chatId === null) throw CommonErrors.invalidField('chat', 'chat must be a phone number or a WhatsApp chat id');
  return { sessionId, campaignId, chat: chatId, direction, status, type, from, to, q };
}
