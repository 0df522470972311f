import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsString, Length } from 'class-validator';
import { Id } from '../../../platform/http/id.rule';
import { Optional } from '../../../platform/http/optional.rule';
import { PageQuery } from '../../../platform/http/page.query';
import { EVENT_STATUSES, type EventStatus } from '../stored-events.repository';

export class ListStoredEventsQuery extends PageQuery {
  @ApiPropertyOptional({ enum: EVENT_STATUSES, default: 'failed' })
  @IsIn(EVENT_STATUSES)
  status: EventStatus = 'failed';

  @Optional()
  @Id()
  session_id?: string;

  /** WAHA's name of the event, `message.ack` for one. */
  @Optional()
  @IsString()
  @Length(1, 64)
  event?: string;
}
