import type { Client } from 'pg';
import { newId } from '../../src/common/ids';
import type { OrderResponse } from '../../src/modules/orders/dto/order.response';
import type { HttpClient } from './http-client';
import type { Wire } from './whatsapp';

export type WireOrder = Wire<OrderResponse>;

/** A shop's shelves and its customers, as rows of a database whose owner the client is. */
export class Shop {
  constructor(
    private readonly owner: Client,
    readonly tenantId: string,
  ) {}

  /** A product; answers its id. */
  async product({ id = `prod_${newId()}`, name = 'Submariner', price = '10', stock = 10 } = {}): Promise<string> {
    await this.owner.query(`insert into products (tenant_id, id, name, price, stock) values ($1, $2, $3, $4, $5)`, [
      ...[this.tenantId, id, name, price, stock],
    ]);
    return id;
  }

  /** A customer; answers its id. */
  async customer({
    name = 'Ada',
    phone = null,
  }: { name?: string | null; phone?: string | null } = {}): Promise<string> {
    const id = `cust_${newId()}`;
    await this.owner.query(`insert into customers (tenant_id, id, name, phone) values ($1, $2, $3, $4)`, [
      ...[this.tenantId, id, name, phone],
    ]);
    return id;
  }

  /** What stands on the shelf; undefined where there is no such product. */
  async stockOf(id: string): Promise<number | undefined> {
    const { rows } = await this.owner.query<{ stock: number }>(
      `select stock from products where tenant_id = $1 and id = $2`,
      [this.tenantId, id],
    );
    return rows[0]?.stock;
  }

  /** How many orders there are. */
  async orders(): Promise<number> {
    const { rows } = await this.owner.query<{ count: number }>(
      `select count(*)::int as count from orders where tenant_id = $1`,
      [this.tenantId],
    );
    return rows[0]?.count ?? 0;
  }
}

/** Places an order over the API; fails unless that is answered with 201. */
export async function placeOrder(http: HttpClient, body: object, headers?: Record<string, string>): Promise<WireOrder> {
  const answer = await http.post<WireOrder>('/orders', body, { headers });
  if (answer.status !== 201) throw new Error(`Placing an order gave ${answer.outcome}: ${answer.text}`);
  return answer.body;
}

/** Asks for another status of an order. */
export const setStatus = (http: HttpClient, id: string, status: string, headers?: Record<string, string>) =>
  http.call<WireOrder>('PATCH', `/orders/${id}`, { status }, { headers });
