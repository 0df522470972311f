import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { Optional } from '../../../platform/http/optional.rule';
import { LookedPageQuery, PageQuery } from '../../../platform/http/page.query';
import { MESSAGE_STATUSES, type MessageStatus } from '../../messages/dto/message.response';
import { CAMPAIGN_STATUSES, type CampaignStatus } from '../campaigns.repository';

export class ListCampaignsQuery extends PageQuery {
  @ApiPropertyOptional({ enum: CAMPAIGN_STATUSES })
  @Optional()
  @IsIn(CAMPAIGN_STATUSES)
  status?: CampaignStatus;
}

export class LedgerQuery extends LookedPageQuery {
  @ApiPropertyOptional({ enum: MESSAGE_STATUSES })
  @Optional()
  @IsIn(MESSAGE_STATUSES)
  status?: MessageStatus;
}
