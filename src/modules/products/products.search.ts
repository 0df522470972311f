import type { Keyset } from '../../common/keyset';
import type { PageRequest } from '../../common/paging';
import { all, cutOf, listed, type Parts, type ProductFilter, type Statement, type Way, wayOf } from './products.list';

/**
 * How many products are looked at one after another, in the order of the list, until a page is full: most are full after the
 * first. Of more at once the database would rather read and sort all that there are.
 */
export const PORTIONS = [2_000, 6_000, 10_000, 10_000, 10_000, 10_000] as const;
/** And so in all: what a page may cost, or a total, besides what the index finds. */
export const LOOKED_THROUGH = PORTIONS.reduce<number>((sum, portion) => sum + portion, 0);
/** So many that the index finds are common: to read and sort all of them would take longer than anybody should wait. */
export const COMMON = 150_000;
/** Of a portion: where so many match, the way fills a page soon, and the index is not asked. */
export const DENSE = 20;

/** As the index of the migration has it. */
const SEARCHED = `(' ' || p.name || ' ' || coalesce(p.brand, '') || ' ' || coalesce(p.category, ''))`;
/** Trigrams tell nothing of fewer characters but where a word begins. */
const SHORTEST_PART = 3;
/** The functions of the index take so many patterns. */
const MOST_PATTERNS = 3;

const isShort = (word: string): boolean => [...word].length < SHORTEST_PART;

/** Whether the index tells anything of it: it knows letters and digits, three in a row or those that a word begins with. */
const isIndexed = (word: string): boolean =>
  isShort(word) ? /^[\p{L}\p{N}]/u.test(word) : /[\p{L}\p{N}]{3}/u.test(word);

/** A word as a pattern of ILIKE: anywhere in a word; one of one or two characters at the beginning of one. */
const patternOf = (word: string): string => {
  const literal = word.replace(/[\\%_]/g, '\\$&');
  return isShort(word) ? `% ${literal}%` : `%${literal}%`;
};

/** Longest first: they say most. */
const wordsOf = ({ q = '' }: ProductFilter): string[] =>
  q
    .normalize('NFC')
    .split(/\s+/)
    .filter((word) => word !== '')
    .sort((a, b) => b.length - a.length);

const matches = (parts: Parts, words: string[]): string =>
  `${SEARCHED} ilike all (${parts.add(words.map(patternOf))}::text[])`;

/** Whether the index leads to what is looked for. */
export const isSought = (filter: ProductFilter): boolean => wordsOf(filter).some(isIndexed);

/** The words that the index looks for, and those that are looked for in what it finds. */
function dividedOf(filter: ProductFilter): { indexed: string[]; others: string[] } {
  const words = wordsOf(filter);
  const indexed = words.filter(isIndexed).slice(0, MOST_PATTERNS);
  return { indexed, others: words.filter((word) => !indexed.includes(word)) };
}

/** What the index finds, no more than `most`, and the conditions of what is looked for in that. */
function soughtOf({ parts, where }: Way, filter: ProductFilter, most: number): { sought: string; conditions: string } {
  const { indexed, others } = dividedOf(filter);
  const patterns = indexed.map((word) => `${parts.add(patternOf(word))}::text`);
  return {
    sought: `sought as materialized (select * from products_with(${patterns.join(', ')}, ${parts.add(most)}::int))`,
    conditions: all(others.length === 0 ? where : [...where, matches(parts, others)]),
  };
}

/** A page out of the first portion on the way, where that fills it: reading ends with the last row of the page. */
export function nearStatement(way: Way, filter: ProductFilter, page: PageRequest): Statement {
  const { parts, where, order } = way;
  const near = `select * from products p where ${all(where)} ${order} limit ${PORTIONS[0]}`;
  const rows = `(${near}) p where ${matches(parts, wordsOf(filter))} ${order}`;
  return { text: `select ${listed(way)} from ${rows} ${cutOf(parts, page)}`, params: parts.params };
}

/** What was looked at. */
export interface Portion {
  seen: number;
  /** How many of them match. */
  found: number;
  /** The first of those, as many as were wanted. */
  hits: string[];
  /** The last that was looked at; null where there was none. */
  last: [value: string, id: string] | null;
}

/** The next so many on the way. */
export function portionStatement(way: Way, filter: ProductFilter, size: number, wanted: number): Statement {
  const { parts, where, column, order, reversed } = way;
  const text = `
    with p as materialized (
      select p.id, p.${column}, ${matches(parts, wordsOf(filter))} as hit from products p where ${all(where)} ${order}
      limit ${parts.add(size)})
    select (select count(*) from p)::int as seen, (select count(*) from p where hit)::int as found,
      array(select p.id from p where hit ${order} limit ${parts.add(wanted)}) as hits,
      (select array[p.${column}::text, p.id] from p ${reversed} limit 1) as last`;
  return { text, params: parts.params };
}

/** The rows of these ids, in the order of the list. */
export function rowsStatement(tenantId: string, { sort }: ProductFilter, ids: string[]): Statement {
  const way = wayOf(tenantId, { sort }, undefined);
  const { parts, where, order } = way;
  const text = `select ${listed(way)} from products p where ${all(where)} and p.id = any (${parts.add(ids)}::text[]) ${order}`;
  return { text, params: parts.params };
}

/**
 * A page out of all that the index finds, whatever the order; nothing but a row with `rare` false where that is too many. Where it
 * is not, a row without a product stands for none.
 */
export function soughtStatement(tenantId: string, filter: ProductFilter, page: PageRequest, from?: Keyset): Statement {
  const way = wayOf(tenantId, filter, from);
  const { parts, order } = way;
  const { sought, conditions } = soughtOf(way, filter, COMMON);
  const found = `select p.id from sought p where ${conditions} ${order} ${cutOf(parts, page)}`;
  // $1 is the tenant.
  const text = `
    with ${sought},
    found as materialized (select count(*) < ${COMMON} as rare from sought),
    page as (
      select ${listed(way)}, row_number() over (${order}) as place from products p where p.tenant_id = $1::uuid
        and (select rare from found) and p.id in (${found}))
    select found.rare, page.* from found left join page on true order by page.place`;
  return { text, params: parts.params };
}

/** How many of what the index finds match, and whether that is all (`rare`): it finds no more than the cap. */
export function countSoughtStatement(tenantId: string, filter: ProductFilter, cap: number): Statement {
  const way = wayOf(tenantId, filter, undefined);
  const { parts } = way;
  const { sought, conditions } = soughtOf(way, filter, cap);
  const text = `
    with ${sought}
    select (select count(*) < ${parts.add(cap)}::int from sought) as rare,
      (select count(*)::int from sought p where ${conditions}) as count`;
  return { text, params: parts.params };
}
