import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, Matches } from 'class-validator';
import { TEXT_ID } from '../../../common/ids';
import { Optional } from '../../../platform/http/optional.rule';
import { Rfc3339 } from '../../../platform/http/rfc3339.rule';
import { TextPageQuery } from '../../../platform/http/page.query';
import { ORDER_STATUSES, type OrderStatus } from '../order-status';

/** Which orders are listed. */
export class ListOrdersQuery extends TextPageQuery {
  @ApiPropertyOptional({ enum: ORDER_STATUSES })
  @Optional()
  @IsIn(ORDER_STATUSES)
  status?: OrderStatus;

  @ApiPropertyOptional({ type: String, maxLength: 64 })
  @Optional()
  @Matches(TEXT_ID, { message: '$property must be letters, digits, `_`, `.` and `-`, at most 64' })
  customer_id?: string;

  /** Placed then or later. */
  @ApiPropertyOptional({ type: String, format: 'date-time' })
  @Optional()
  @Rfc3339()
  from?: Date;

  /** Placed before. */
  @ApiPropertyOptional({ type: String, format: 'date-time' })
  @Optional()
  @Rfc3339()
  to?: Date;
}
