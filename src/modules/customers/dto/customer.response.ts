import { ApiProperty } from '@nestjs/swagger';
import { decimal } from '../../../common/money';
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
