import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../common/paging';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';
import { MAX_STOCK } from '../products/products.service';
import type { Told } from './order-message';
import type { OrderNews, OrderStatus } from './order-status';

/** So many pieces of one product; prices are decimals of the database. */
export interface OrderItemRow {
  product_id: string;
  /** What the product was called. */
  name: string;
  quantity: number;
  unit_price: string;
}

/** An order as it is stored, with its items in their order. */
export interface OrderRow {
  id: string;
  customer_id: string;
  status: OrderStatus;
  /** A decimal of the database. */
  total: string;
  currency: string;
  messages: Partial<Record<OrderNews, Told>>;
  /** The request that completed or cancelled it; null where it had no key. */
  closed_request: string | null;
  version: number;
  created_at: Date;
  items: OrderItemRow[];
}

/** An order that is to be stored. */
export interface NewOrder extends Pick<OrderRow, 'id' | 'customer_id' | 'total' | 'currency' | 'messages' | 'items'> {
  /** The request that makes it; null where it has no key. */
  request: string | null;
}

/** What of an order becomes another, once. */
export type OrderClose = Pick<OrderRow, 'id' | 'status' | 'messages' | 'closed_request'>;

/** Which orders are meant; what is absent narrows nothing. */
export interface OrderFilter {
  status?: OrderStatus;
  customer_id?: string;
  from?: Date;
  to?: Date;
}

/** A product that is held: nobody changes it meanwhile. */
export interface HeldProduct {
  id: string;
  name: string;
  price: string;
  stock: number;
}

/** To whom an order is. */
export interface OrderCustomer {
  name: string | null;
  phone: string | null;
}

const COLUMNS = `id, customer_id, status, total, currency, messages, closed_request, version, created_at`;
/** Prices as texts: JSON has numbers of another kind. */
const ITEMS = `(
  select coalesce(json_agg(json_build_object('product_id', i.product_id, 'name', i.name, 'quantity', i.quantity,
    'unit_price', i.unit_price::text) order by i.position), '[]')
  from order_items i where i.tenant_id = $1 and i.order_id = o.id) as items`;

const ONE = `select ${COLUMNS}, ${ITEMS} from orders o where tenant_id = $1 and id = $2`;

// An anonymised customer is nobody's any more. Held so that nobody is deleted or anonymised while an order for it is placed.
const CUSTOMER = `select name, phone from customers where tenant_id = $1 and id = $2 and anonymised_at is null`;

/** In one order, whatever the order's own is, so that two orders of the same products cannot deadlock. */
const HOLD = `select id, name, price, stock from products where tenant_id = $1 and id = any ($2::text[])
  order by id for no key update`;

/** `$3` pieces of each of the products `$2`, which are held; none has more than a stock can be. */
const MOVE = (stock: string): string => `
  update products p set stock = ${stock}, version = p.version + 1, updated_at = now()
  from unnest($2::text[], $3::int[]) as moved(id, quantity) where p.tenant_id = $1 and p.id = moved.id`;
const TAKE = MOVE('p.stock - moved.quantity');
const GIVE_BACK = MOVE(`greatest(p.stock, least(p.stock::bigint + moved.quantity, ${MAX_STOCK}))::int`);

const INSERT = `
  with made as (
    insert into orders (tenant_id, id, customer_id, total, currency, messages, created_request)
    values ($1, $2, $3, $4, $5, $6, $7) on conflict (tenant_id, id) do nothing returning ${COLUMNS}),
  items as (
    insert into order_items (tenant_id, order_id, position, product_id, name, quantity, unit_price)
    select $1, made.id, i.position, i.product_id, i.name, i.quantity, i.unit_price
    from made, unnest($8::text[], $9::text[], $10::int[], $11::numeric[]) with ordinality
      as i(product_id, name, quantity, unit_price, position))
  select ${COLUMNS} from made`;

const CLOSE = `
  update orders set status = $3, messages = $4, closed_request = $5, version = version + 1, updated_at = now()
  where tenant_id = $1 and id = $2 returning version`;

/**
 * What comes after the cursor and before the time: one bound, or the index might be read from the other one on.
 * @param cursor the place of its parameter
 * @param to that of the time's, which no id is part of: the empty text is less than any
 */
const before = (cursor: number, to: number): string => `
  (created_at, id) < (
    select least(c.created_at, $${to}::timestamptz), case when c.created_at < $${to}::timestamptz then c.id else '' end
    from orders c where c.tenant_id = $1 and c.id = $${cursor})`;

/** Each filter's condition; only those asked for stand in the text, so that each combination gets a plan of its own. */
const CONDITIONS: Record<keyof OrderFilter, (parameter: string) => string> = {
  status: (p) => `status = ${p}`,
  customer_id: (p) => `customer_id = ${p}`,
  from: (p) => `created_at >= ${p}`,
  to: (p) => `created_at < ${p}`,
};

/** The queries on `orders` and `order_items`, and those on products and customers that an order needs. */
@Injectable()
export class OrdersRepository {
  constructor(private readonly db: TenantDatabase) {}

  /** Null when there is none. */
  async findById(tenantId: string, id: string): Promise<OrderRow | null> {
    const [row] = await this.db.query<OrderRow>(tenantId, ONE, [tenantId, id]);
    return row ?? null;
  }

  /** The order of that id that the request made; null where it made none. */
  async findMade(tenantId: string, id: string, request: string): Promise<OrderRow | null> {
    const [row] = await this.db.query<OrderRow>(tenantId, `${ONE} and created_request = $3`, [tenantId, id, request]);
    return row ?? null;
  }

  /** Newest first, one more than asked for; nothing after a cursor that is no order's. */
  list(tenantId: string, filter: OrderFilter, { limit, cursor, offset }: PageRequest): Promise<OrderRow[]> {
    const { to, ...others } = filter;
    const { where, params } = conditions(tenantId, cursor ? others : filter);
    if (cursor) where.push(before(params.push(cursor), params.push(to ?? 'infinity')));
    const page = `select ${COLUMNS} from orders where ${where.join(' and ')} order by created_at desc, id desc
      limit $${params.push(limit + 1)} offset $${params.push(offset ?? 0)}`;
    const text = `select o.*, ${ITEMS} from (${page}) o order by created_at desc, id desc`;
    return this.db.queryOnce<OrderRow>(tenantId, text, params);
  }

  /** How many there are, counted no further than the cap. */
  async count(tenantId: string, filter: OrderFilter, cap: number): Promise<number> {
    const { where, params } = conditions(tenantId, filter);
    const rows = `select from orders where ${where.join(' and ')} limit $${params.push(cap)}`;
    const text = `select count(*)::int as count from (${rows}) t`;
    const [row] = await this.db.queryOnce<{ count: number }>(tenantId, text, params);
    return row?.count ?? 0;
  }

  /** The same as findById, held for this transaction. */
  async lockById(tx: TenantTransaction, tenantId: string, id: string): Promise<OrderRow | null> {
    const [row] = await tx.query<OrderRow>(`${ONE} for no key update of o`, [tenantId, id]);
    return row ?? null;
  }

  /** Who places an order, held so that it stays; null when there is none, or it is anonymised. */
  async holdCustomer(tx: TenantTransaction, tenantId: string, id: string): Promise<OrderCustomer | null> {
    const [row] = await tx.query<OrderCustomer>(`${CUSTOMER} for share`, [tenantId, id]);
    return row ?? null;
  }

  /** Whose an order is; null when it is anonymised. */
  async customerOf(tx: TenantTransaction, tenantId: string, id: string): Promise<OrderCustomer | null> {
    const [row] = await tx.query<OrderCustomer>(CUSTOMER, [tenantId, id]);
    return row ?? null;
  }

  /** Those of the products that there are, held for this transaction, by their ids. */
  async holdProducts(tx: TenantTransaction, tenantId: string, ids: string[]): Promise<Map<string, HeldProduct>> {
    const rows = await tx.query<HeldProduct>(HOLD, [tenantId, ids]);
    return new Map(rows.map((row) => [row.id, row]));
  }

  /** Takes pieces of products that are held and have them. */
  async takeStock(tx: TenantTransaction, tenantId: string, pieces: ReadonlyMap<string, number>): Promise<void> {
    await tx.query(TAKE, [tenantId, [...pieces.keys()], [...pieces.values()]]);
  }

  /** Gives pieces back to products that are held, up to the most that a stock can be. */
  async giveBack(tx: TenantTransaction, tenantId: string, pieces: ReadonlyMap<string, number>): Promise<void> {
    await tx.query(GIVE_BACK, [tenantId, [...pieces.keys()], [...pieces.values()]]);
  }

  /** Stores a pending order with its items; null where there is one of that id. */
  async insert(tx: TenantTransaction, tenantId: string, order: NewOrder): Promise<OrderRow | null> {
    const { items } = order;
    const [row] = await tx.query<Omit<OrderRow, 'items'>>(INSERT, [
      ...[tenantId, order.id, order.customer_id, order.total, order.currency],
      ...[JSON.stringify(order.messages), order.request],
      ...[items.map((item) => item.product_id), items.map((item) => item.name)],
      ...[items.map((item) => item.quantity), items.map((item) => item.unit_price)],
    ]);
    return row ? { ...row, items } : null;
  }

  /** Ends an order that is held; answers its new version. */
  async close(tx: TenantTransaction, tenantId: string, order: OrderClose): Promise<number> {
    const { id, status, messages, closed_request: request } = order;
    const params = [tenantId, id, status, JSON.stringify(messages), request];
    const [row] = await tx.query<{ version: number }>(CLOSE, params);
    if (!row) throw new Error('An order that was held is gone');
    return row.version;
  }
}

function conditions(tenantId: string, filter: OrderFilter): { where: string[]; params: unknown[] } {
  const params: unknown[] = [tenantId];
  const where = ['tenant_id = $1'];
  for (const name of Object.keys(CONDITIONS) as (keyof OrderFilter)[]) {
    const value = filter[name];
    if (value !== undefined) where.push(CONDITIONS[name](`$${params.push(value)}`));
  }
  return { where, params };
}
