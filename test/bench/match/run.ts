import { writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { machineFacts } from '../machine';
import { median } from '../measure';
import { type Figure, PAGE, pageOf, type Plan, tableOf } from './page';
import { type Bed, bedOf, type Kind, KINDS, SIZES } from './tables';

/** Some tens of milliseconds a run: Linux tells a thread's time by ticks of up to 4 ms. */
const FULL: Plan = { rounds: 40, matches: 100_000, warmUpRounds: 5 };
const QUICK: Plan = { rounds: 10, matches: 100_000, warmUpRounds: 2 };

/**
 * What one match of the gateway costs among few routes and among as many as a tenant may have, prints the table, and writes
 * docs/BENCHMARKS-MATCH.md unless it was quick. `npm run bench -- --gateway-match`: some two minutes; no server is started.
 * @throws Error when a table does not take what it should
 */
export async function runMatchBenchmark({ quick }: { quick: boolean }): Promise<void> {
  const plan = quick ? QUICK : FULL;
  const before = loadOf();
  const beds: Bed[] = [];
  for (const size of SIZES) beds.push(await bedOf(size));
  for (const bed of beds) await probe(bed);
  const figures = measure(beds, plan);
  console.log(`\n${tableOf(figures)}`);
  if (quick) return console.log('\nA quick run is not written to docs/BENCHMARKS-MATCH.md.');
  const facts = machineFacts('', process.cwd()).filter(([name]) => name !== 'PostgreSQL');
  facts.push(['Load', `${before.toFixed(1)} when it began, ${loadOf().toFixed(1)} when it ended (mean of a minute)`]);
  writeFileSync(PAGE, pageOf({ facts, plan, figures, patterns: beds.map(({ patterns }) => patterns) }));
  console.log(`\nWritten to ${path.relative(process.cwd(), PAGE)}`);
}

/** How much was to be done on the machine in the last minute, this among it, in processors. */
const loadOf = (): number => os.loadavg()[0] ?? NaN;

/** Each kind of request is taken by a route of its kind, whichever it is, or by none. */
async function probe({ size, table, pathOf }: Bed): Promise<void> {
  for (const kind of KINDS)
    for (let nth = 0; nth < size; nth += 1) {
      const match = await table.match('GET', 'any.example', pathOf(kind, nth)); // expressions are compiled at the first
      const taken = match?.route.pathType ?? 'none';
      if (taken !== kind) throw new Error(`Of ${size} routes ${taken} took ${pathOf(kind, nth)}, which is for ${kind}`);
    }
}

/** In each round every table and kind once, in another order: what else the machine does meets all alike. */
function measure(beds: Bed[], plan: Plan): Figure[] {
  const runs = beds.flatMap((bed) => KINDS.map((kind) => ({ bed, kind, ns: [] as number[] })));
  for (let round = -plan.warmUpRounds; round < plan.rounds; round += 1)
    for (const run of shuffled(runs)) {
      const ns = nsOfOne(run.bed, run.kind, plan.matches);
      if (round >= 0) run.ns.push(ns);
    }
  const smallest = (kind: Kind) => runs.find((run) => run.kind === kind && run.bed.size === SIZES[0])?.ns ?? [];
  return runs.map(({ bed, kind, ns }) => ({
    ...{ size: bed.size, kind, ns: median(ns) },
    ratio: median(ns.map((one, round) => one / (smallest(kind)[round] ?? NaN))),
  }));
}

/** Of this thread's processor: what else runs does not add to it. Each path is another string, as each request brings one. */
function nsOfOne({ table, pathOf }: Bed, kind: Kind, matches: number): number {
  const first = Math.floor(Math.random() * 10_000);
  // A prime apart, so that neighbours are not asked for one after the other.
  const paths = Array.from({ length: matches }, (_, n) =>
    Buffer.from(pathOf(kind, (first + n * 7_919) % 10_000)).toString('latin1'),
  );
  let taken = 0;
  const begun = process.threadCpuUsage();
  for (const one of paths) {
    const match = table.match('GET', 'any.example', one);
    if (match !== null) taken += match instanceof Promise ? NaN : 1; // every expression is at hand
  }
  const { user, system } = process.threadCpuUsage(begun);
  if (taken !== (kind === 'none' ? 0 : matches)) throw new Error(`${taken} of ${matches} were taken by ${kind}`);
  return ((user + system) * 1_000) / matches;
}

function shuffled<T>(all: T[]): T[] {
  const keyed = all.map((one) => ({ one, key: Math.random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ one }) => one);
}
