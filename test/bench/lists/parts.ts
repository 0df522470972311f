import { fillHistory } from './fill';
import { fillProducts } from './fill-products';
import { type ListFigures, type ListsPlan, measureLists } from './lists';
import { PRODUCT_SCENARIOS } from './product-scenarios';
import { LIST_SCENARIOS } from './scenarios';
import type { Cleanup } from '../cleanup';

/** One part of the page: lists of one thing. */
export interface Part {
  name: 'messages' | 'products';
  title: string;
  /** Rows in the table of the short one, and in those of the long ones: of the page, and of a quick run. */
  reference: number;
  full: readonly number[];
  quick: readonly number[];
  /** The sizes of the long ones, by commas: for machines without the disk or the time for those of the page. `none`: leave it. */
  variable: string;
  measure: (cleanup: Cleanup, plan: ListsPlan) => Promise<ListFigures[]>;
  /** What there is in the tables. */
  rows: string;
  notes: string;
}

export const PARTS: readonly Part[] = [
  {
    name: 'messages',
    title: 'Messages and statistics of a long history',
    reference: 10_000,
    full: [1_000_000, 10_000_000],
    quick: [100_000],
    variable: 'BENCH_LISTS_MESSAGES',
    measure: (cleanup, plan) => measureLists(cleanup, { fill: fillHistory, scenarios: LIST_SCENARIOS }, plan),
    rows: `The messages are spread over 90 days, in 8 sessions and 998 chats; what is "few and old" is 30 messages among the
300 oldest, where a walk from the newest finds it last. The figures of the statistics are filled by the expressions that fold them.`,
    notes: `¹ No index leads to these: messages are looked at one by one, 50,000 for a page at most. A page that is not full by then says in \`Link\` where
to go on, so its cost stops growing there, however long the history is. The ratio compares with a history of which all was looked at.

Statistics depend on how many spans, senders and, where they are asked for, sessions or campaigns there are to add up, not on the messages: a
history of 10,000 in 90 days has not filled them all.`,
  },
  {
    name: 'products',
    title: 'Products of a large catalogue',
    reference: 1_000,
    full: [1_000_000],
    quick: [50_000],
    variable: 'BENCH_LISTS_PRODUCTS',
    measure: (cleanup, plan) => measureLists(cleanup, { fill: fillProducts, scenarios: PRODUCT_SCENARIOS }, plan),
    rows: `Four brands and two large categories have nothing to do with name, price or age; what is "few and old" is 30 products among
the 60 oldest. Each tenth is a tourbillon, and dearer than all that are none.`,
    notes: `¹ These grow with what is counted, skipped, looked at or sorted, up to a bound: 10,001 for a total, 10,000 for an offset, the first 2,000
on the way of a search, and 150,000 of what an index finds where the order puts it last. A catalogue of 1,000 has not so many.`,
  },
];
