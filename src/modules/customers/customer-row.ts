import { cursorTime } from '../../common/time-cursor';

export const VIP_TIERS = ['bronze', 'silver', 'gold'] as const;
export type VipTier = (typeof VIP_TIERS)[number];

/** An address in its parts. */
export type AddressParts = Partial<Record<'street' | 'city' | 'postal_code' | 'region' | 'country', string>>;

/** What people say of a customer; null where they do not. */
export interface CustomerFields {
  /** In its normal spelling; unique in the tenant. */
  email: string | null;
  name: string | null;
  /** A label that people set by hand. */
  tier: string | null;
  /** E.164, with its `+`; unique in the tenant. */
  phone: string | null;
  /** As it came. */
  address: AddressParts | string | null;
  tags: string[];
}

/** A customer as it is stored. */
export interface StoredCustomer extends CustomerFields {
  id: string;
  anonymised_at: Date | null;
  creation_id: string | null;
  version: number;
  created_at: Date;
  updated_at: Date;
}

/** A customer with what follows from its orders. */
export interface CustomerRow extends StoredCustomer {
  /** A decimal text: the sum of its completed and pending orders. */
  total_spent: string;
  vip_tier: VipTier;
  /** Its place in lists. */
  cursor_at: string;
}

export const STORED = `c.id, c.email, c.name, c.tier, c.phone, c.address, c.tags, c.anonymised_at, c.creation_id, c.version,
  c.created_at, c.updated_at`;

/** The orders that count. */
const COUNTED = `o.status in ('completed', 'pending')`;

/** What the customer `c` spent, as `s`: read from orders_customer_idx alone. */
export const SPENT = `lateral (
  select coalesce(sum(o.total), 0) as total_spent from orders o
  where o.tenant_id = c.tenant_id and o.customer_id = c.id and ${COUNTED}) s`;

/** A sum as `customer_totals.total_key` says it: of one width, so that it orders as the number does. */
export const totalKey = (sum: string): string => `lpad(replace(${sum}::numeric(28,4)::text, '.', ''), 28, '0')`;

/** The tier of `s`, with the thresholds of silver and gold in parameters of these numbers. Exactly a threshold is not above it. */
export const tierOf = (silver: number, gold: number): string => `
  case when s.total_spent > $${gold}::numeric then 'gold' when s.total_spent > $${silver}::numeric then 'silver'
    else 'bronze' end`;

/** All of a CustomerRow, of `c` and `s`. */
export const customerColumns = (silver: number, gold: number): string =>
  `${STORED}, ${cursorTime('c.created_at')} as cursor_at, s.total_spent, ${tierOf(silver, gold)} as vip_tier`;
