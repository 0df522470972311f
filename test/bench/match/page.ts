import path from 'node:path';
import { markdownTable } from '../report';
import { type Kind, KINDS, SIZES } from './tables';

export const PAGE = path.resolve(__dirname, '../../../docs/BENCHMARKS-MATCH.md');

/** How often, and how many matches are timed together. */
export interface Plan {
  rounds: number;
  matches: number;
  warmUpRounds: number;
}

/** What one match of a kind costs in a table. */
export interface Figure {
  size: number;
  kind: Kind;
  /** The median of the rounds. */
  ns: number;
  /** Of each round to the smallest table's; the median of these. */
  ratio: number;
}

/** All that the page says. */
export interface Results {
  facts: [name: string, value: string][];
  plan: Plan;
  figures: Figure[];
  /** Regular expressions in each table. */
  patterns: number[];
}

const TAKEN_BY: Record<Kind, string> = {
  exact: 'an `exact` route',
  prefix: 'a `prefix` route, two segments below it',
  regex: 'a `regex` route',
  none: 'no route (404)',
};
const count = (n: number): string => n.toLocaleString('en');

/** A line for each kind of request, as a Markdown table. */
export function tableOf(figures: readonly Figure[]): string {
  const of = (size: number, kind: Kind) => figures.find((one) => one.size === size && one.kind === kind);
  const heads = SIZES.flatMap((size, nth) => [`${count(size)} routes, ns`, ...(nth > 0 ? ['ratio'] : [])]);
  const rows = KINDS.map((kind) => [
    TAKEN_BY[kind],
    ...SIZES.flatMap((size, nth) => {
      const { ns = NaN, ratio = NaN } = of(size, kind) ?? {};
      return [ns.toFixed(0), ...(nth > 0 ? [ratio.toFixed(2)] : [])];
    }),
  ]);
  return markdownTable(['a request that is taken by', ...heads], rows);
}

/** The whole page. */
export function pageOf({ facts, plan, figures, patterns }: Results): string {
  return `# Matching among few routes and many

Made by \`npm run bench -- --gateway-match\`: the gateway's own table (\`MatchTable\`) of a tenant with ${SIZES.map(count).join(', ')} routes, asked
which route takes a request; nothing around it. ${patterns.map(count).join(', ')} of them are regular expressions, as many as may be
(a tenant may have 100), of the others one half is exact and one half prefixes.

${tableOf(figures)}

Nanoseconds of CPU of one match: the median of ${plan.rounds} rounds of ${count(plan.matches)} matches each, after ${plan.warmUpRounds} rounds of warm-up. In each round every table
and kind has its turn, in another order; a ratio is the median of those of each round to the table of ${count(SIZES[0])}. Each path is a string of its own, whose
hash is worked out within the time, as with a request. The paths go over all routes of the table, none after its neighbour.
What else the machine does adds nothing but what it takes of the processor's caches; it is in all figures, and most in the last ones.

**What a match does is the same with any number of routes**: one look-up of the whole path, and one for each of its segments that some prefix may end
at (\`route-table.spec.ts\` counts them). **What that costs is not**: a large map does not lie in the processor's caches, so a look-up waits for
memory. That is what the ratios show, and it is bounded by the number of look-ups, not of routes: a table that was searched one by one would show a ratio of
1,000. Of regular expressions those are tried, in order, that begin as the path does up to its first segment; here each has a
segment of its own, and one is tried. Those that share a segment are tried one after the other, and their work together is
bounded when they are saved ([GATEWAY.md](GATEWAY.md#matching)).

Measured on:

${facts.map(([name, value]) => `- ${name}: ${value}`).join('\n')}
`;
}
