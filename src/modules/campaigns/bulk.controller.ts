import { Body, Controller, HttpCode, Post, Query } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiConflictResponse,
  ApiNotFoundResponse,
  ApiTags,
  ApiTooManyRequestsResponse,
} from '@nestjs/swagger';
import type { Actor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import { Access, CurrentActor } from '../../platform/http/access.decorators';
import { BodyStream, StreamBody, type StreamedBody } from '../../platform/http/stream-body.decorator';
import { CustomerAudience } from '../customers/customer-audience.service';
import { type BulkRequest, BulkDrafts } from './bulk-drafts.service';
import { BulkService } from './bulk.service';
import { type AudienceDto, BulkDto, BulkQuery } from './dto/bulk.dto';
import { BulkResponse, bulkResponse } from './dto/campaign.response';
import {
  type Recipient,
  recipientsOfCustomers,
  recipientsOfLines,
  recipientsOfList,
  recipientsOfTable,
} from './recipients';

/** 10,000 recipients with some variables each. */
const BODY_LIMIT_BYTES = 8 * 1024 * 1024;

/** Sending to many at once. */
@ApiTags('Campaigns')
@Controller('messages')
export class BulkController {
  constructor(
    private readonly drafts: BulkDrafts,
    private readonly bulk: BulkService,
    private readonly audience: CustomerAudience,
  ) {}

  /**
   * Sends a message to many, each once: 202 once all of them are durable. As JSON with up to 10,000 recipients, or with an
   * audience of any number of customers (which needs `customers:read`; who lacks a variable of the text is rejected); or with
   * any number as `application/x-ndjson` (lines of `{"to", "variables"?}`) or `text/csv` (a column `to`, the others are
   * variables), where all else is said in the query.
   */
  @Post('bulk')
  @HttpCode(202)
  @Access('campaigns:manage')
  @StreamBody(BODY_LIMIT_BYTES)
  @ApiAcceptedResponse({ type: BulkResponse })
  @ApiNotFoundResponse({ description: 'There is no such session or template' })
  @ApiConflictResponse({
    description: '`SESSION_REQUIRED`; `CONFLICT`: the recipients came in too slowly; `IDEMPOTENCY_IN_PROGRESS`',
  })
  @ApiTooManyRequestsResponse({ description: "`QUOTA_EXCEEDED`: the tenant's messages of the day are used up" })
  async send(
    @CurrentActor() actor: Actor,
    @Body() body: BulkDto,
    @Query() query: BulkQuery,
    @BodyStream() streamed: StreamedBody | null,
  ): Promise<BulkResponse> {
    const { request, recipients, audience, dryRun } = streamed ? ofStream(query, streamed) : ofBody(body, query);
    const draft = await this.drafts.of(actor, request);
    const all = recipients ?? recipientsOfCustomers(await this.audience.members(actor, audience.customers));
    const outcome = await (dryRun ? this.bulk.rehearse(actor, draft, all) : this.bulk.accept(actor, draft, all));
    return bulkResponse(outcome);
  }
}

type Asked = { request: BulkRequest; dryRun: boolean } & (
  | { recipients: Iterable<Recipient> | AsyncIterable<Recipient>; audience?: undefined }
  | { recipients?: undefined; audience: AudienceDto }
);

function ofBody({ recipients, audience, dry_run: dryRun = false, ...request }: BulkDto, query: BulkQuery): Asked {
  const [said] = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : name));
  if (said !== undefined) throw CommonErrors.invalidField(said, `${said} is said in the body, where that is JSON`);
  if (recipients && audience) throw CommonErrors.invalidField('audience', 'give either recipients or audience');
  if (audience) return { request, audience, dryRun };
  if (!recipients) throw CommonErrors.invalidField('recipients', 'recipients or an audience must be given');
  return { request, recipients: recipientsOfList(recipients), dryRun };
}

function ofStream(query: BulkQuery, { type, stream }: StreamedBody): Asked {
  const { text, message, per_minute: perMinute, expires_at: expiresAt, dry_run: dryRun = false, ...options } = query;
  if (text !== undefined && message) throw CommonErrors.invalidField('message', 'give either text or message');
  if (text === undefined && expiresAt !== undefined)
    throw CommonErrors.invalidField(
      'expires_at',
      'expires_at goes with text; a message says it itself, a template cannot',
    );
  const request: BulkRequest = {
    ...options,
    ...(message ? { message } : text === undefined ? {} : { message: { text, expires_at: expiresAt } }),
    ...(perMinute === undefined ? {} : { pace: { per_minute: perMinute } }),
  };
  return { request, recipients: (type === 'text/csv' ? recipientsOfTable : recipientsOfLines)(stream), dryRun };
}
