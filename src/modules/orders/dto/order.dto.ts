import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { applyDecorators } from '@nestjs/common';
import { Type } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn, IsInt, Matches, Max, Min, ValidateNested } from 'class-validator';
import { TEXT_ID } from '../../../common/ids';
import { Optional } from '../../../platform/http/optional.rule';
import { ORDER_STATUSES, type OrderStatus } from '../order-status';

const MAX_ITEMS = 100;
/** Of one item: what a stock can hold (integer). */
const MAX_QUANTITY = 2_147_483_647;

const TextId = (): PropertyDecorator =>
  applyDecorators(
    Matches(TEXT_ID, { message: '$property must be letters, digits, `_`, `.` and `-`, at most 64' }),
    ApiProperty({ type: String, maxLength: 64 }),
  );

/** So many pieces of one product. */
export class OrderItemDto {
  @TextId()
  product_id: string;

  @IsInt()
  @Min(1)
  @Max(MAX_QUANTITY)
  @ApiProperty({ type: 'integer', minimum: 1, maximum: MAX_QUANTITY })
  quantity: number;
}

/** An order to place. */
export class CreateOrderDto {
  @ApiPropertyOptional({
    type: String,
    maxLength: 64,
    description: 'Chosen by the caller; made (`ord_…`) where it is not given',
  })
  @Optional()
  @Matches(TEXT_ID, { message: '$property must be letters, digits, `_`, `.` and `-`, at most 64' })
  id?: string;

  @TextId()
  customer_id: string;

  /** A product that is named several times is one item of the order, with the sum of its quantities. */
  @ApiProperty({ type: [OrderItemDto], minItems: 1, maxItems: MAX_ITEMS })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_ITEMS)
  @ValidateNested({ each: true })
  @Type(() => OrderItemDto)
  items: OrderItemDto[];
}

/** What becomes of an order. */
export class UpdateOrderDto {
  @ApiProperty({ enum: ORDER_STATUSES, description: '`completed` or `cancelled`, of an order that is `pending`' })
  @IsIn(ORDER_STATUSES)
  status: OrderStatus;
}
