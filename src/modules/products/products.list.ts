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
 * and planning costs more than reading such a page. Two filters, a range, or rows to skip, are planned for their values.
 */
export const isPlannedOnce = (
  { category, brand, inStock, minPrice, maxPrice, q }: ProductFilter,
  { offset = 0 }: PageRequest,
): boolean =>
  offset === 0 &&
  [category, brand, inStock].filter((value) => value !== undefined).length < 2 &&
  [minPrice, maxPrice, q].every((value) => value === undefined);

/** As the column `price_key` says it: of one width, so that it orders as the number does. */
function priceKey(decimal: string): string {
  const [whole = '', places = ''] = decimal.split('.');
  return (whole + places.padEnd(4, '0')).padStart(19, '0');
}

/** As the index of the migration has it. */
const SEARCHED = `(' ' || p.name || ' ' || coalesce(p.brand, '') || ' ' || coalesce(p.category, ''))`;
/** Trigrams tell nothing of fewer characters but where a word begins. */
const SHORTEST_PART = 3;
/** More than any page has, and known while one plan is made for all: of a bound that is not, the database expects a tenth of all rows. */
const LONGEST = MAX_LIMIT + 1;
/** So many rows in the order of the list are looked at before the index of the search is asked: common words end here. */
const WALK = 2_000;

/** A word as a pattern of ILIKE: anywhere in a word; one of one or two characters at the beginning of one. */
const patternOf = (word: string): string => {
  const literal = word.replace(/[\\%_]/g, '\\$&');
  return [...word].length < SHORTEST_PART ? `% ${literal}%` : `%${literal}%`;
};

const patternsOf = (q: string): string[] =>
  q
    .normalize('NFC')
    .split(/\s+/)
    .filter((word) => word !== '')
    .sort((a, b) => b.length - a.length)
    .map(patternOf);

/** Puts a statement together out of constants; values become parameters. */
class Parts {
  readonly params: unknown[] = [];

  add(value: unknown): string {
    return `$${this.params.push(value)}`;
  }
}

/** The conditions but for the search. */
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

const all = (conditions: string[]): string => conditions.join(' and ');

/** A page of a list, one row more than asked for. With a search it is `walk` that is asked first. */
export function pageStatement(tenantId: string, filter: ProductFilter, page: PageRequest, search: Search): Statement {
  const { column, type, down, isValue } = ORDERS[orderOf(filter)];
  const parts = new Parts();
  const from = keysetOf(page.cursor, orderOf(filter), isValue);
  const where = conditionsOf(parts, tenantId, from ? withoutBound(filter, from) : filter);
  if (from)
    where.push(
      `(p.${column}, p.id) ${down ? '<' : '>'} (${parts.add(from.value)}::${type}, ${parts.add(from.id)}::text)`,
    );
  const way = down ? 'desc' : 'asc';
  const order = `order by p.${column} ${way}, p.id ${way}`;
  const skip = page.offset ? ` offset ${parts.add(page.offset)}` : '';
  const cut = `limit ${parts.add(page.limit + 1)}${skip}`;
  const rows = SOURCES[search](parts, { where, order, cut, filter });
  return { text: `select ${COLUMNS}, ${column}::text as sort_value from ${rows}`, params: parts.params };
}

/** How many there are, counted no further than the cap. */
export function countStatement(tenantId: string, filter: ProductFilter, cap: number): Statement {
  const parts = new Parts();
  const where = conditionsOf(parts, tenantId, filter);
  const rows = filter.q === undefined ? `products p where ${all(where)}` : found(parts, { where, filter });
  const text = `select count(*)::int as count from (select from ${rows} limit ${parts.add(cap)}) t`;
  return { text, params: parts.params };
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

/**
 * How the rows of a page are come by. `plain`: in the order of an index. `once`: the same, for any values with one plan, and not
 * with an offset. `walk`: of the first thousands in the order of the list those are kept that match; a full
 * page of them is the page. `index`: all that match, by the index, whatever the order.
 */
export type Search = 'plain' | 'once' | 'walk' | 'index';

interface Source {
  where: string[];
  order: string;
  cut: string;
  filter: ProductFilter;
}

const SOURCES: Record<Search, (parts: Parts, source: Source) => string> = {
  plain: (_parts, { where, order, cut }) => `products p where ${all(where)} ${order} ${cut}`,
  once: (_parts, { where, order, cut }) =>
    `(select * from products p where ${all(where)} ${order} limit ${LONGEST}) p ${order} ${cut}`,
  walk: (parts, { where, order, cut, filter }) =>
    `(select * from products p where ${all(where)} ${order} limit ${WALK}) p
      where ${matches(parts, filter)} ${order} ${cut}`,
  // $1 is the tenant.
  index: (parts, { where, order, cut, filter }) =>
    `products p where p.tenant_id = $1::uuid
      and p.id in (select p.id from ${found(parts, { where, filter })} ${order} ${cut}) ${order}`,
};

/** Found by the longest word, which says most; the others are looked for in what was found. */
function found(parts: Parts, { where, filter }: Pick<Source, 'where' | 'filter'>): string {
  const [longest] = patternsOf(filter.q ?? '');
  return `products_like(${parts.add(longest)}::text) p where ${all(where)} and ${matches(parts, filter)}`;
}

const matches = (parts: Parts, { q = '' }: ProductFilter): string =>
  `${SEARCHED} ilike all (${parts.add(patternsOf(q))}::text[])`;
