import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../common/paging';
import { cursorTime, parseTimeCursor } from '../../common/time-cursor';
import { TenantDatabase } from '../../platform/database/tenant-database';

/** An order of a customer, with what was ordered in its order. Amounts are decimal texts. */
export interface CustomerOrderRow {
  id: string;
  customer_id: string;
  status: string;
  total: string;
  currency: string;
  created_at: Date;
  items: { product_id: string; quantity: number; unit_price: string }[];
  /** Its place in lists. */
  cursor_at: string;
}

const LIST = `
  select o.id, o.customer_id, o.status, o.total, o.currency, o.created_at, ${cursorTime('o.created_at')} as cursor_at, i.items
  from (
    select o.* from orders o where o.tenant_id = $1 and o.customer_id = $2
      and ($3::timestamptz is null or (o.created_at, o.id) < ($3, $4::text))
    order by o.created_at desc, o.id desc limit $5 offset $6) o
  cross join lateral (
    select coalesce(json_agg(json_build_object('product_id', i.product_id, 'quantity', i.quantity,
      'unit_price', i.unit_price::text) order by i.position), '[]') as items
    from order_items i where i.tenant_id = o.tenant_id and i.order_id = o.id) i
  order by o.created_at desc, o.id desc`;

const COUNT = `
  select count(*)::int as count from (select from orders where tenant_id = $1 and customer_id = $2 limit $3) t`;

/** What customers ordered. */
@Injectable()
export class CustomerOrdersRepository {
  constructor(private readonly db: TenantDatabase) {}

  /** Newest first, one more than asked for. */
  list(tenantId: string, customerId: string, { limit, cursor, offset }: PageRequest): Promise<CustomerOrderRow[]> {
    const from = cursor === undefined ? null : parseTimeCursor(cursor);
    const params = [tenantId, customerId, from?.at ?? null, from?.id ?? null, limit + 1, offset ?? 0];
    return this.db.queryOnce<CustomerOrderRow>(tenantId, LIST, params);
  }

  /** How many there are, counted no further than the cap. */
  async count(tenantId: string, customerId: string, cap: number): Promise<number> {
    const [row] = await this.db.query<{ count: number }>(tenantId, COUNT, [tenantId, customerId, cap]);
    return row?.count ?? 0;
  }
}
