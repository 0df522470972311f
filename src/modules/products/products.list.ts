import { type Keyset, keysetOf } from '../../common/keyset';
import { MAX_LIMIT, type PageRequest } from '../../common/paging';
import type { ProductRow } from './product';
import { COLUMNS } from './products.columns';

/** How lists may be ordered; newest first unless told otherwise. */
export const PRODUCT_SORTS = ['price', '-price', 'name', 'created_at'] as const;
export type ProductSort = (typeof PRODUCT_SORTS)[number];

/** Which products are meant, and in which order; what is absent narrows nothing. */
export interface ProductFilter {
  category?: string;
  brand?: string;
  /** Decimals, both included. */
  minPrice?: string;
  maxPrice?: string;
  inStock?: boolean;
  /** Words, each of which must occur in name, brand or category. */
  q?: string;
  sort?: ProductSort;
}

/** A row of a list, with the value that the list is ordered by, as text. */
export interface ListedProduct extends ProductRow {
  sort_value: string;
}

interface Order {
  column: string;
  type: string;
  down: boolean;
  isValue: (value: string) => boolean;
}

const isTime = (value: string): boolean =>
  /^\d{4,6}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?[+-]\d\d(:\d\d){0,2}$/.test(value) && !Number.isNaN(Date.parse(value));
const created = { column: 'created_at', type: 'timestamptz', isValue: isTime };
const price = { column: 'price_key', type: 'text', isValue: (value: string) => /^\d{19}$/.test(value) };

const ORDERS: Record<ProductSort | 'newest', Order> = {
  price: { ...price, down: false },
  '-price': { ...price, down: true },
  name: { column: 'name', type: 'text', down: false, isValue: () => true },
  created_at: { ...created, down: false },
  newest: { ...created, down: true },
};

/** The name of the order that a list is in, for its cursors. */
export const orderOf = ({ sort }: ProductFilter): ProductSort | 'newest' => sort ?? 'newest';

/** A statement and its parameters. */
export interface Statement {
  text: string;
  params: unknown[];
}

/**
 * Whether one plan is right for all values: an index has the filter and the order, and no other comes near. These texts are few,
 * and planning costs more than reading such a page. Two filters, a range, rows to skip, or more than a page, are planned for their
 * values.
 */
export const isPlannedOnce = (
  { category, brand, inStock, minPrice, maxPrice, q }: ProductFilter,
  { offset = 0, limit }: PageRequest,
): boolean =>
  offset === 0 &&
  limit <= MAX_LIMIT &&
  [category, brand, inStock].filter((value) => value !== undefined).length < 2 &&
  [minPrice, maxPrice, q].every((value) => value === undefined);

/** As the column `price_key` says it: of one width, so that it orders as the number does. */
function priceKey(decimal: string): string {
  const [whole = '', places = ''] = decimal.split('.');
  return (whole + places.padEnd(4, '0')).padStart(19, '0');
}

/** More than any page has, and known while one plan is made for all: of a bound that is not, the database expects a tenth of all rows. */
const LONGEST = MAX_LIMIT + 1;

/** Puts a statement together out of constants; values become parameters. */
export class Parts {
  readonly params: unknown[] = [];

  add(value: unknown): string {
    return `$${this.params.push(value)}`;
  }
}

/** The conditions of the filter, but for the search. */
function conditionsOf(parts: Parts, tenantId: string, filter: ProductFilter): string[] {
  const where = [`p.tenant_id = ${parts.add(tenantId)}::uuid`];
  const { category, brand, minPrice, maxPrice, inStock } = filter;
  if (category !== undefined) where.push(`p.category = ${parts.add(category)}::text`);
  if (brand !== undefined) where.push(`p.brand = ${parts.add(brand)}::text`);
  if (minPrice !== undefined) where.push(`p.price_key >= ${parts.add(priceKey(minPrice))}::text`);
  if (maxPrice !== undefined) where.push(`p.price_key <= ${parts.add(priceKey(maxPrice))}::text`);
  if (inStock !== undefined) where.push(`p.in_stock = ${parts.add(inStock)}::boolean`);
  return where;
}

/** A way through the products: what those on it have in common, and the order that an index gives them in. */
export interface Way {
  parts: Parts;
  where: string[];
  /** What the list is ordered by. */
  column: string;
  /** The order of the list, and the same backwards. */
  order: string;
  reversed: string;
}

/** The way of the filter, without its search, from a place on or from its beginning. */
export function wayOf(tenantId: string, filter: ProductFilter, from: Keyset | undefined): Way {
  const { column, type, down } = ORDERS[orderOf(filter)];
  const parts = new Parts();
  const where = conditionsOf(parts, tenantId, from ? withoutBound(filter, from) : filter);
  if (from)
    where.push(
      `(p.${column}, p.id) ${down ? '<' : '>'} (${parts.add(from.value)}::${type}, ${parts.add(from.id)}::text)`,
    );
  const by = (way: string): string => `order by p.${column} ${way}, p.id ${way}`;
  return { parts, where, column, order: by(down ? 'desc' : 'asc'), reversed: by(down ? 'asc' : 'desc') };
}

/** What the cursor of such a list says, the rest of an offset too; undefined where there is none. @throws VALIDATION_FAILED for a cursor of another order */
export const placeOf = (cursor: string | undefined, filter: ProductFilter): Keyset | undefined =>
  keysetOf(cursor, orderOf(filter), ORDERS[orderOf(filter)].isValue);

/** What is read of each row of a list, with the value that it is ordered by. */
export const listed = ({ column }: Way): string => `${COLUMNS}, ${column}::text as sort_value`;

/** The conditions as one. */
export const all = (conditions: string[]): string => conditions.join(' and ');

/** How many rows the page wants, one more than asked for, and how many it skips. */
export const cutOf = (parts: Parts, { limit, offset }: PageRequest): string => {
  const wanted = `limit ${parts.add(limit + 1)}`;
  return offset ? `${wanted} offset ${parts.add(offset)}` : wanted;
};

/**
 * A page of a list without a search, one row more than asked for.
 * @param once whether one plan is made for any values: for a page at most, and without an offset
 */
export function pageStatement(tenantId: string, filter: ProductFilter, page: PageRequest, once: boolean): Statement {
  const from = placeOf(page.cursor, filter);
  const way = wayOf(tenantId, filter, from);
  const { parts, where, order } = way;
  const rows = `products p where ${all(where)} ${order}`;
  const source = once ? `(select * from ${rows} limit ${LONGEST}) p ${order}` : rows;
  return { text: `select ${listed(way)} from ${source} ${cutOf(parts, page)}`, params: parts.params };
}

/** How many there are without a search, counted no further than the cap. */
export function countStatement(tenantId: string, filter: ProductFilter, cap: number): Statement {
  const { parts, where } = wayOf(tenantId, filter, undefined);
  const rows = `select from products p where ${all(where)} limit ${parts.add(cap)}`;
  return { text: `select count(*)::int as count from (${rows}) t`, params: parts.params };
}

/**
 * A list by price that goes on from a cursor is bounded by the cursor already. Of two bounds on the same side the index begins at
 * any one, and at the wrong one it reads all pages before.
 */
function withoutBound(filter: ProductFilter, { value }: Keyset): ProductFilter {
  const { sort, minPrice = '0', maxPrice = '0' } = filter;
  if (sort === 'price' && priceKey(minPrice) <= value) return { ...filter, minPrice: undefined };
  if (sort === '-price' && priceKey(maxPrice) >= value) return { ...filter, maxPrice: undefined };
  return filter;
}
