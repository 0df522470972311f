import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../../platform/database/tenant-database';
import { ProductsCache } from '../products/products-cache.service';
import { totalOf } from './order-total';
import { OrderErrors } from './orders.errors';
import { type HeldProduct, type OrderItemRow, OrdersRepository } from './orders.repository';

/** So many pieces of a product, as the caller wrote it. */
export interface WantedItem {
  product_id: string;
  quantity: number;
}

/** What an order took, at the prices that held, and what it costs. */
export interface Taken {
  items: OrderItemRow[];
  /** A decimal of the database. */
  total: string;
}

/** What orders take from the stock of products, and give back to it. */
@Injectable()
export class Stock {
  constructor(
    private readonly orders: OrdersRepository,
    private readonly cache: ProductsCache,
  ) {}

  /** Does work that changes the stock of these products; the transaction belongs inside, this not inside a transaction. */
  changing<T>(tenantId: string, products: readonly string[], work: () => Promise<T>): Promise<T> {
    return products.length === 0 ? work() : this.cache.changing(tenantId, products, work);
  }

  /**
   * Takes all pieces, or none. A product that is named several times is one item, where it was named first.
   * @throws VALIDATION_FAILED that names what is no product, or `items` for a total beyond numeric(19,4);
   * INSUFFICIENT_STOCK that names each product that is short, with `available`
   */
  async take(tx: TenantTransaction, tenantId: string, wanted: readonly WantedItem[]): Promise<Taken> {
    const pieces = piecesOf(wanted);
    const held = await this.orders.holdProducts(tx, tenantId, [...pieces.keys()]);
    const unknown = wanted.flatMap(({ product_id: id }, nth) => (held.has(id) ? [] : nth));
    if (unknown.length > 0) throw OrderErrors.unknownProducts(unknown);
    requireStock(wanted, pieces, held);
    const bought = [...pieces].flatMap(([id, quantity]) => {
      const product = held.get(id);
      return product ? { ...product, quantity } : [];
    });
    const total = totalOf(bought);
    if (total === null) throw OrderErrors.totalTooLarge();
    await this.orders.takeStock(tx, tenantId, pieces);
    const items = bought.map(({ id, name, price, quantity }) => ({
      product_id: id,
      name,
      quantity,
      unit_price: price,
    }));
    return { items, total };
  }

  /** Gives all pieces back to the products that there still are. */
  async giveBack(tx: TenantTransaction, tenantId: string, items: readonly WantedItem[]): Promise<void> {
    const pieces = piecesOf(items);
    const held = await this.orders.holdProducts(tx, tenantId, [...pieces.keys()]);
    const returned = new Map([...pieces].filter(([id]) => held.has(id)));
    if (returned.size > 0) await this.orders.giveBack(tx, tenantId, returned);
  }
}

/** How many pieces of each product, in the order in which they are first named. */
function piecesOf(items: readonly WantedItem[]): Map<string, number> {
  const pieces = new Map<string, number>();
  for (const { product_id: id, quantity } of items) pieces.set(id, (pieces.get(id) ?? 0) + quantity);
  return pieces;
}

function requireStock(
  wanted: readonly WantedItem[],
  pieces: ReadonlyMap<string, number>,
  held: ReadonlyMap<string, HeldProduct>,
): void {
  const short = [...pieces].flatMap(([id, quantity]) => {
    const available = held.get(id)?.stock ?? 0;
    if (available >= quantity) return [];
    const field = `items.${wanted.findIndex((item) => item.product_id === id)}.quantity`;
    return { field, message: `${id}: ${quantity} are wanted, ${available} available`, product_id: id, available };
  });
  if (short.length > 0) throw OrderErrors.insufficientStock(short);
}
