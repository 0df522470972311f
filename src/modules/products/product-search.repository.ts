import { Injectable } from '@nestjs/common';
import type { Keyset } from '../../common/keyset';
import type { PageRequest } from '../../common/paging';
import { TenantDatabase } from '../../platform/database/tenant-database';
import { type ListedProduct, placeOf, type ProductFilter, type Statement, wayOf } from './products.list';
import {
  countSoughtStatement,
  DENSE,
  isSought,
  LOOKED_THROUGH,
  nearStatement,
  type Portion,
  PORTIONS,
  portionStatement,
  rowsStatement,
  soughtStatement,
} from './products.search';

/** What was found of a search. */
interface FoundProducts {
  /** In the order of the filter, one more than asked for where there are more. */
  rows: ListedProduct[];
  /** The product up to which was looked, where that was not all and not enough was found; else null. */
  end: Keyset | null;
}

/** Runs a statement, alone or within a transaction. */
type Run = <R>(statement: Statement) => Promise<R[]>;

/** Whose products are searched, for what, and by which statements. */
interface Search {
  tenantId: string;
  filter: ProductFilter;
  run: Run;
}

/** How many there are; `all` is false where not all were looked at that might be. */
interface CountedProducts {
  count: number;
  all: boolean;
}

/**
 * Searches products, of which any number may have a word. What is common is found on the way, in the order of the list; what is
 * rare by an index, all of it. Neither looks at more than a bounded number of products: what no index tells of, and what it says is
 * very common and nevertheless is not to be found on a long way, may leave a page short.
 */
@Injectable()
export class ProductSearchRepository {
  constructor(private readonly db: TenantDatabase) {}

  /** A page of the filter, which has a search; all of it of one moment. @throws VALIDATION_FAILED for a cursor of another order */
  async list(tenantId: string, filter: ProductFilter, asked: PageRequest): Promise<FoundProducts> {
    const from = placeOf(asked.cursor, filter);
    const page = { ...asked, offset: asked.offset ?? from?.skip };
    if (!page.offset) {
      const near = await this.alone(tenantId)<ListedProduct>(
        nearStatement(wayOf(tenantId, filter, from), filter, page),
      );
      if (near.length > page.limit) return { rows: near, end: null };
    }
    // What is found by one statement and read by another must not be gone, or have moved, in between.
    return this.db.snapshot(tenantId, (tx) => {
      const run: Run = ({ text, params }) => tx.queryOnce(text, params);
      return this.look({ tenantId, filter, run }, page, from);
    });
  }

  /** How many there are, counted no further than the cap. */
  async count(tenantId: string, filter: ProductFilter, cap: number): Promise<CountedProducts> {
    const run = this.alone(tenantId);
    const walk = this.portions({ tenantId, filter, run }, { from: undefined, wanted: () => 0 });
    let [looked, count, known, asked] = [0, 0, 0, !isSought(filter)];
    for await (const { seen, found, end } of walk) {
      looked += seen;
      count += found;
      if (end === null || count >= cap) return { count: Math.min(count, cap), all: true };
      // What is so common that the way comes to the cap is counted there sooner than the index has all of it.
      if (asked || count * LOOKED_THROUGH >= cap * looked) continue;
      asked = true;
      const [sought] = await run<{ rare: boolean; count: number }>(countSoughtStatement(tenantId, filter, cap));
      known = sought?.count ?? 0;
      if (sought?.rare || known >= cap) return { count: known, all: true };
    }
    return { count: Math.max(count, known), all: false };
  }

  /** On the way, and where that does not look like filling the page, out of all that match. */
  private async look(search: Search, page: PageRequest, from: Keyset | undefined): Promise<FoundProducts> {
    const { tenantId, filter, run } = search;
    const { limit, offset = 0 } = page;
    const most = offset + limit + 1;
    const ids: string[] = [];
    let end: Keyset | null = null;
    let asked = !isSought(filter);
    for await (const seen of this.portions(search, { from, wanted: () => most - ids.length })) {
      ids.push(...seen.hits);
      end = ids.length >= most ? null : seen.end;
      if (end === null) break;
      if (asked || seen.found >= DENSE) continue;
      asked = true;
      const sought = await this.sought(search, page, from);
      if (sought !== null) return { rows: sought, end: null };
    }
    const shown = ids.slice(offset);
    const rows = shown.length === 0 ? [] : await run<ListedProduct>(rowsStatement(tenantId, filter, shown));
    return { rows, end: end && { ...end, skip: Math.max(0, offset - ids.length) } };
  }

  /** The page out of all that match; null where these are common. */
  private async sought(
    { tenantId, filter, run }: Search,
    page: PageRequest,
    from: Keyset | undefined,
  ): Promise<ListedProduct[] | null> {
    const rows = await run<SoughtRow>(soughtStatement(tenantId, filter, page, from));
    return rows[0]?.rare === false ? null : rows.filter(isProduct);
  }

  /** Portion by portion in the order of the list: how many match, the first of them, and where it ends if there is more. */
  private async *portions(
    { tenantId, filter, run }: Search,
    { from, wanted }: { from: Keyset | undefined; wanted: () => number },
  ): AsyncGenerator<{ seen: number; found: number; hits: string[]; end: Keyset | null }> {
    let place = from;
    for (const size of PORTIONS) {
      const statement = portionStatement(wayOf(tenantId, filter, place), filter, size, wanted());
      const [portion] = await run<Portion>(statement);
      if (!portion) throw new Error('A statement that counts gave nothing');
      const { seen, found, hits, last } = portion;
      place = seen === size && last !== null ? { value: last[0], id: last[1] } : undefined;
      yield { seen, found, hits, end: place ?? null };
      if (place === undefined) return;
    }
  }

  private alone(tenantId: string): Run {
    return ({ text, params }) => this.db.queryOnce(tenantId, text, params);
  }
}

/** Where nothing is found there is one row without a product. */
type SoughtRow = { rare: boolean } & (ListedProduct | Record<keyof ListedProduct, null>);

const isProduct = (row: SoughtRow): row is SoughtRow & ListedProduct => row.id !== null;
