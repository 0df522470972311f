import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../../common/actor';
import { Access, CurrentActor } from '../../../platform/http/access.decorators';
import { MessageStatsQuery } from '../dto/message-stats.query';
import { messageStatsResponse, MessageStatsResponse } from '../dto/message-stats.response';
import { MessageStatsService } from './message-stats.service';

@ApiTags('Messages')
@Controller('messages')
export class MessageStatsController {
  constructor(private readonly stats: MessageStatsService) {}

  /**
   * How many messages there are in which status, which share was delivered and read, and how long sending and delivering
   * took. Counts are exact and of this moment; times are within 2 %. Read from running figures, so that it costs the same
   * however many messages there are.
   */
  @Get('stats')
  @Access('messages:read')
  @ApiOkResponse({ type: MessageStatsResponse })
  async get(@CurrentActor() actor: Actor, @Query() query: MessageStatsQuery): Promise<MessageStatsResponse> {
    const { from, to, group_by: groupBy } = query;
    return messageStatsResponse(await this.stats.of(actor, { from, to, groupBy }), groupBy);
  }
}
