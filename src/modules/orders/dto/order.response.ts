import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { decimal } from '../../../common/money';
import { SKIPS, type Told } from '../order-message';
import { ORDER_STATUSES, type OrderStatus } from '../order-status';
import type { OrderRow } from '../orders.repository';

/** So many pieces of one product, at the price that held when the order was placed. */
export class OrderItemResponse {
  product_id: string;

  @ApiProperty({ type: 'integer' })
  quantity: number;

  /** Of one piece, in the order's currency. */
  @ApiProperty({ type: Number, format: 'decimal', example: 12.5 })
  unit_price: number;
}

/** What became of a message: it was accepted, or why not. */
export class OrderMessageResponse {
  @ApiPropertyOptional({
    type: String,
    format: 'uuid',
    description: 'Of the message that was accepted (`GET /messages/:id`)',
  })
  id?: string;

  @ApiPropertyOptional({ enum: SKIPS, description: 'Why there is none' })
  skipped?: (typeof SKIPS)[number];
}

/** What the customer was told; what was switched off when it happened is not there. */
export class OrderMessagesResponse {
  @ApiPropertyOptional({ type: OrderMessageResponse })
  confirmation?: OrderMessageResponse;

  @ApiPropertyOptional({ type: OrderMessageResponse })
  completion?: OrderMessageResponse;

  @ApiPropertyOptional({ type: OrderMessageResponse })
  cancellation?: OrderMessageResponse;
}

/** An order. */
export class OrderResponse {
  /** @example ord_001 */
  id: string;
  customer_id: string;

  @ApiProperty({ enum: ORDER_STATUSES })
  status: OrderStatus;

  /** In the order in which they were named. */
  @ApiProperty({ type: [OrderItemResponse] })
  items: OrderItemResponse[];

  /** Of all items, in `currency`. */
  @ApiProperty({ type: Number, format: 'decimal', example: 25 })
  total: number;

  /** The tenant's when the order was placed; ISO 4217. @example EUR */
  currency: string;

  /** Only where the tenant had a message switched on (`order_messages`). */
  @ApiPropertyOptional({ type: OrderMessagesResponse })
  messages?: OrderMessagesResponse;
  created_at: Date;
}

const toldResponse = (told: Told): OrderMessageResponse => ('id' in told ? { id: told.id } : { skipped: told.skipped });

function messagesResponse({ confirmation, completion, cancellation }: OrderRow['messages']): OrderMessagesResponse {
  return {
    ...(confirmation && { confirmation: toldResponse(confirmation) }),
    ...(completion && { completion: toldResponse(completion) }),
    ...(cancellation && { cancellation: toldResponse(cancellation) }),
  };
}

/** Lists each field by hand: a new column stays private until somebody adds it. */
export const orderResponse = (row: OrderRow): OrderResponse => ({
  id: row.id,
  customer_id: row.customer_id,
  status: row.status,
  items: row.items.map(({ product_id, quantity, unit_price }) => ({
    product_id,
    quantity,
    unit_price: decimal(unit_price),
  })),
  total: decimal(row.total),
  currency: row.currency,
  ...(Object.keys(row.messages).length > 0 && { messages: messagesResponse(row.messages) }),
  created_at: row.created_at,
});
