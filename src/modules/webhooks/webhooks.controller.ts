import { Body, Controller, Get, Headers, HttpCode, Post } from '@nestjs/common';
import {
  ApiBody,
  ApiHeader,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiTags,
  ApiUnauthorizedResponse,
} from '@nestjs/swagger';
import { Public, Unlimited } from '../../platform/http/access.decorators';
import { RawBody } from '../../platform/http/raw-body.decorator';
import { WebhookHealthResponse, WebhookTakenResponse } from './dto/webhook.response';
import { WebhookBacklog } from './webhook-backlog.service';
import { WebhookIngest } from './webhook-ingest.service';

const BODY_LIMIT_BYTES = 10 * 1024 * 1024;

@ApiTags('Webhooks')
@Controller('webhooks')
export class WebhooksController {
  constructor(
    private readonly ingest: WebhookIngest,
    private readonly backlog: WebhookBacklog,
  ) {}

  /** Where WAHA posts its events, signed with the session's secret. Answered once the event is stored. */
  @Post('waha')
  @HttpCode(200)
  @Public('WAHA proves itself by the signature of the body')
  @Unlimited('bounded by signature and size')
  @RawBody(BODY_LIMIT_BYTES)
  @ApiBody({ schema: { type: 'object', additionalProperties: true } })
  @ApiHeader({ name: 'X-Webhook-Hmac', description: 'Lowercase hex HMAC-SHA512 over the raw body', required: true })
  @ApiOkResponse({ type: WebhookTakenResponse, description: 'Stored, now or before' })
  @ApiUnauthorizedResponse({ description: 'The signature is missing, or not of this body and this session' })
  @ApiNotFoundResponse({ description: 'The session is not one of ours' })
  async take(
    @Body() raw: Buffer,
    @Headers('x-webhook-hmac') signature: string | undefined,
  ): Promise<WebhookTakenResponse> {
    return { stored: await this.ingest.take(raw, signature) };
  }

  /** Whether webhooks arrive and are applied. */
  @Get('health')
  @Public('says nothing of any tenant')
  @Unlimited('health')
  @ApiOkResponse({ type: WebhookHealthResponse })
  health(): Promise<WebhookHealthResponse> {
    return this.backlog.show();
  }
}
