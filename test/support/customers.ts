import type { Client } from 'pg';
import { newId } from '../../src/common/ids';
import type { CustomerResponse } from '../../src/modules/customers/dto/customer.response';
import type { ErrorBody } from '../../src/platform/http/error-body';
import type { HttpClient } from './http-client';
import type { Wire } from './whatsapp';

export type WireCustomer = Wire<CustomerResponse>;

/** Makes a customer over the API; fails unless that is answered with 201. */
export async function makeCustomer(http: HttpClient, fields: object = {}): Promise<WireCustomer> {
  const answer = await http.post<WireCustomer & ErrorBody>('/customers', { name: 'Jane Doe', ...fields });
  if (answer.status !== 201) throw new Error(`Making a customer gave ${answer.outcome}: ${answer.text}`);
  return answer.body;
}

/** What an order is made with; each has a default. */
export interface OrderOptions {
  id?: string;
  status?: string;
  /** A decimal text. */
  total?: string;
  at?: string;
  items?: { product_id: string; quantity: number; unit_price: string }[];
}

/** An order that stands in the database as if it had been placed; answers its id. */
export async function makeOrder(
  owner: Client,
  tenantId: string,
  customerId: string,
  { id = `ord_${newId()}`, status = 'completed', total = '10', at, items = [] }: OrderOptions = {},
): Promise<string> {
  await owner.query(
    `insert into orders (tenant_id, id, customer_id, status, total, currency, created_at)
      values ($1, $2, $3, $4, $5, 'EUR', coalesce($6::timestamptz, now()))`,
    [tenantId, id, customerId, status, total, at ?? null],
  );
  for (const [position, { product_id, quantity, unit_price }] of items.entries())
    await owner.query(
      `insert into order_items (tenant_id, order_id, position, product_id, name, quantity, unit_price)
        values ($1, $2, $3, $4, 'A watch', $5, $6)`,
      [tenantId, id, position, product_id, quantity, unit_price],
    );
  return id;
}
