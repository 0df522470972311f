import { Controller, Get, HttpCode, Post, Query, Res } from '@nestjs/common';
import { ApiConflictResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../common/actor';
import { Access, CurrentActor } from '../../platform/http/access.decorators';
import { IdParam } from '../../platform/http/id-param';
import { sendPage } from '../../platform/http/page-headers';
import { MessageResponse, messageResponse } from '../messages/dto/message.response';
import { MessagesService } from '../messages/messages.service';
import { CampaignsService } from './campaigns.service';
import {
  CampaignResponse,
  campaignResponse,
  campaignWithProgress,
  CampaignWithProgressResponse,
} from './dto/campaign.response';
import { LedgerQuery, ListCampaignsQuery } from './dto/list-campaigns.query';

const STATE = { description: '`CAMPAIGN_STATE`: it is in a status from which this cannot be done' };

/** Campaigns, from their acceptance on. */
@ApiTags('Campaigns')
@Controller('campaigns')
export class CampaignsController {
  constructor(
    private readonly campaigns: CampaignsService,
    private readonly messages: MessagesService,
  ) {}

  /** The tenant's campaigns, newest first. */
  @Get()
  @Access('campaigns:read')
  @ApiOkResponse({ type: [CampaignResponse] })
  async list(
    @CurrentActor() actor: Actor,
    @Query() query: ListCampaignsQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CampaignResponse[]> {
    return sendPage(reply, await this.campaigns.list(actor, query.status, query), query).map(campaignResponse);
  }

  /** One campaign, and how far it is. */
  @Get(':id')
  @Access('campaigns:read')
  @ApiOkResponse({ type: CampaignWithProgressResponse })
  async get(@CurrentActor() actor: Actor, @IdParam() id: string): Promise<CampaignWithProgressResponse> {
    const campaign = await this.campaigns.get(actor, id);
    return campaignWithProgress(campaign, await this.campaigns.progress(actor, campaign));
  }

  /** The ledger: for each accepted recipient its one message, with its outcome. */
  @Get(':id/recipients')
  @Access('campaigns:read')
  @ApiOkResponse({ type: [MessageResponse] })
  async recipients(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Query() query: LedgerQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MessageResponse[]> {
    await this.campaigns.get(actor, id);
    const page = await this.messages.list(actor, { campaignId: id, status: query.status }, query);
    return sendPage(reply, page, query).map(messageResponse);
  }

  /** Nothing more of it leaves from now on; what is on its way ends normally. */
  @Post(':id/pause')
  @HttpCode(200)
  @Access('campaigns:manage')
  @ApiOkResponse({ type: CampaignResponse })
  @ApiConflictResponse(STATE)
  async pause(@CurrentActor() actor: Actor, @IdParam() id: string): Promise<CampaignResponse> {
    return campaignResponse(await this.campaigns.move(actor, id, 'paused'));
  }

  /** It goes on; before its time it is scheduled again. */
  @Post(':id/resume')
  @HttpCode(200)
  @Access('campaigns:manage')
  @ApiOkResponse({ type: CampaignResponse })
  @ApiConflictResponse(STATE)
  async resume(@CurrentActor() actor: Actor, @IdParam() id: string): Promise<CampaignResponse> {
    return campaignResponse(await this.campaigns.move(actor, id, 'running'));
  }

  /** Ends it: nothing more of it leaves, and what waits is cancelled within seconds. */
  @Post(':id/cancel')
  @HttpCode(200)
  @Access('campaigns:manage')
  @ApiOkResponse({ type: CampaignResponse })
  @ApiConflictResponse(STATE)
  async cancel(@CurrentActor() actor: Actor, @IdParam() id: string): Promise<CampaignResponse> {
    return campaignResponse(await this.campaigns.move(actor, id, 'cancelled'));
  }
}
