import { ApiProperty } from '@nestjs/swagger';
import { decimal } from '../../../common/money';
import type { CustomerOrderRow } from '../customer-orders.repository';
import { type CustomerFields, type CustomerRow, VIP_TIERS, type VipTier } from '../customer-row';
import { ADDRESS_SCHEMA } from './customer.dto';

/** Somebody who buys. */
export class CustomerResponse {
  /** @example cust_001 */
  id: string;

  @ApiProperty({ type: String, format: 'email', nullable: true })
  email: string | null;

  @ApiProperty({ type: String, nullable: true })
  name: string | null;

  /** A label that people set by hand. */
  @ApiProperty({ type: String, nullable: true, example: 'platinum' })
  tier: string | null;

  /** E.164. */
  @ApiProperty({ type: String, nullable: true, example: '+442079460958' })
  phone: string | null;

  /** As it came. */
  @ApiProperty({ ...ADDRESS_SCHEMA, nullable: true })
  address: CustomerFields['address'];
  tags: string[];

  /** The sum of its completed and pending orders. */
  @ApiProperty({ type: Number, format: 'double', example: 12500.5 })
  total_spent: number;

  /** By what it spent, and the tenant's `vip_thresholds`. */
  @ApiProperty({ enum: VIP_TIERS })
  vip_tier: VipTier;

  /** When it was deleted: all that named it is gone, and its orders are there. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  anonymised_at: Date | null;
  created_at: Date;
  updated_at: Date;
}

class CustomerOrderItemResponse {
  product_id: string;
  quantity: number;

  /** What one piece cost when it was ordered. */
  @ApiProperty({ type: Number, format: 'double' })
  unit_price: number;
}

/** An order, as its customer's list shows it. */
export class CustomerOrderResponse {
  /** @example ord_001 */
  id: string;
  customer_id: string;

  @ApiProperty({ enum: ['pending', 'completed', 'cancelled'] })
  status: string;

  @ApiProperty({ type: [CustomerOrderItemResponse] })
  items: CustomerOrderItemResponse[];

  @ApiProperty({ type: Number, format: 'double' })
  total: number;

  /** ISO 4217: the tenant's when it was ordered. @example EUR */
  currency: string;
  created_at: Date;
}

/** Lists each field by hand: a new column stays private until somebody adds it. */
export const customerResponse = (row: CustomerRow): CustomerResponse => ({
  id: row.id,
  email: row.email,
  name: row.name,
  tier: row.tier,
  phone: row.phone,
  address: row.address,
  tags: row.tags,
  total_spent: decimal(row.total_spent),
  vip_tier: row.vip_tier,
  anonymised_at: row.anonymised_at,
  created_at: row.created_at,
  updated_at: row.updated_at,
});

export const customerOrderResponse = (row: CustomerOrderRow): CustomerOrderResponse => ({
  id: row.id,
  customer_id: row.customer_id,
  status: row.status,
  items: row.items.map((item) => ({
    product_id: item.product_id,
    quantity: item.quantity,
    unit_price: decimal(item.unit_price),
  })),
  total: decimal(row.total),
  currency: row.currency,
  created_at: row.created_at,
});
