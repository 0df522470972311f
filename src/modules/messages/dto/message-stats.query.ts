import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { Optional } from '../../../platform/http/optional.rule';
import { Rfc3339 } from '../../../platform/http/rfc3339.rule';
import { type Grouping, GROUPINGS } from '../stats/message-stats.repository';

export class MessageStatsQuery {
  /**
   * Accepted or received at this time or later (RFC 3339), rounded down to a quarter of an hour. Unless given: since the
   * beginning, by hours of the last day, by days of the last 30.
   */
  @Optional()
  @Rfc3339()
  from?: Date;

  /** Accepted or received before this time (RFC 3339), rounded up to a quarter of an hour; now, unless given. */
  @Optional()
  @Rfc3339()
  to?: Date;

  /** Hours (31 days at most) and days (366) are those of the tenant's time zone; `agent` is whoever sent, key or person. */
  @ApiPropertyOptional({ enum: GROUPINGS })
  @Optional()
  @IsIn(GROUPINGS)
  group_by?: Grouping;
}
