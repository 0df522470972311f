import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Cleanup } from '../cleanup';
import { machineFacts, makeFolderOnDisk } from '../machine';
import { CONTENDERS } from './contenders';
import type { Ground } from './ground';
import { startLoadTool } from './load';
import { NotInstalledError } from './native';
import { leftOut, pageOf, type Results, type Row, tableOf, verdictsOf } from './page';
import { probe } from './probe';
import { type ScenarioName, SCENARIOS } from './requests';
import { compareAll, type Entrant, type Figures, type Plan } from './rounds';
import { startUpstream } from './upstream';

/** A large program takes some ten thousand requests until its code is as fast as it gets. */
const FULL: Plan = { rounds: 6, seconds: 3, warmUpSeconds: 10 };
const QUICK: Plan = { rounds: 2, seconds: 1, warmUpSeconds: 1 };
/** Whole numbers that take the place of those of the plan, for machines or people without the time. */
const VARIABLES = { seconds: 'BENCH_GATEWAY_SECONDS', rounds: 'BENCH_GATEWAY_ROUNDS' };
const PAGE = path.resolve(__dirname, '../../../docs/BENCHMARKS-GATEWAY.md');

/**
 * Measures the gateway beside other proxies on one machine, prints the tables, and writes docs/BENCHMARKS-GATEWAY.md unless it
 * was quick or measured some and not all.
 *
 * - `npm run bench -- --gateway`: some 16 minutes, four kinds of request with six rounds of 3 s of each contender. On a machine
 *   that does nothing else: what else it does is measured and told, but not taken away.
 * - `BENCH_GATEWAY_SECONDS=2 BENCH_GATEWAY_ROUNDS=4 npm run bench -- --gateway`: shorter, and the page says so.
 * - `npm run bench -- --gateway --quick`: some 3 minutes; prints, and writes nothing.
 * - `npm run bench -- --gateway --only=direct,nginx,loop,switchboard`: some of them (ids of `CONTENDERS`); writes nothing.
 *
 * nginx, haproxy and wrk are taken from the machine (`apt-get install --no-install-recommends nginx haproxy wrk`): a row
 * says that one is not installed, Node stands in for nginx as upstream, and the load generator of the other benches for wrk.
 * The Node proxies are installed into `test/bench/gateway/peers` at the first run; Switchboard must be built (`npm run bench` builds).
 * @throws Error when the loop or Switchboard does not start, answers wrongly, or fails a single request
 */
export async function runGatewayBenchmark({ quick, only }: { quick: boolean; only?: string[] }): Promise<void> {
  const cleanup = new Cleanup();
  const stop = (): void => void cleanup.run().finally(() => process.exit(1));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const results = await measureAll(cleanup, planned(quick ? QUICK : FULL), only);
    for (const name of namesOf(SCENARIOS)) console.log(`\n${SCENARIOS[name].title}\n${tableOf(results, name)}`);
    console.log(`\n${verdictsOf(results)}\n${leftOut(results)}`);
    if (quick || only) return console.log('\nA quick or partial run is not written to docs/BENCHMARKS-GATEWAY.md.');
    writeFileSync(PAGE, pageOf(results));
    console.log(`\nWritten to ${path.relative(process.cwd(), PAGE)}`);
  } finally {
    await cleanup.run();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

const namesOf = (scenarios: typeof SCENARIOS): ScenarioName[] => Object.keys(scenarios) as ScenarioName[];

/** The plan with what the variables say in its place. @throws Error for what is no whole number above 0 */
function planned(plan: Plan): Plan {
  const read = (name: keyof typeof VARIABLES): number => {
    const said = process.env[VARIABLES[name]];
    const value = said ? Number(said) : plan[name];
    if (!Number.isInteger(value) || value < 1) throw new Error(`${VARIABLES[name]} must be a whole number above 0`);
    return value;
  };
  return { ...plan, rounds: read('rounds'), seconds: read('seconds') };
}

async function measureAll(cleanup: Cleanup, plan: Plan, only?: string[]): Promise<Results> {
  const folder = makeFolderOnDisk();
  cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
  const upstream = await startUpstream(cleanup, folder);
  const load = await startLoadTool(cleanup, folder);
  const ground = { cleanup, folder, upstream };
  const { entrants, absent } = await enterAll(ground, only);
  const figures: [ScenarioName, Map<string, Figures>][] = [];
  for (const name of namesOf(SCENARIOS)) {
    console.log(`${SCENARIOS[name].title}…`);
    figures.push([name, await compareAll({ ground, load, plan }, SCENARIOS[name], entrants)]);
  }
  const version = 'as installed with the project';
  const facts = machineFacts(version, folder);
  const measured = { upstream: upstream.madeOf, load: load.name, figures: new Map(figures) };
  return { facts, plan, rows: rowsOf(entrants, absent), ...measured };
}

/** Starts and tries each that was asked for; what is optional and cannot is absent, with the reason. */
async function enterAll(ground: Ground, only?: string[]): Promise<{ entrants: Entrant[]; absent: Row[] }> {
  const unknown = only?.filter((id) => !CONTENDERS.some((contender) => contender.id === id)) ?? [];
  if (unknown.length > 0)
    throw new Error(`There is no ${unknown.join(', ')}; there are ${CONTENDERS.map(({ id }) => id).join(', ')}`);
  const entrants: Entrant[] = [];
  const absent: Row[] = [];
  for (const contender of CONTENDERS.filter(({ id }) => !only || only.includes(id))) {
    try {
      const running = await contender.start(ground);
      await probe(contender, running);
      entrants.push({ contender, running });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (!contender.optional) throw new Error(`${contender.title}: ${why}`, { cause: error });
      const what = error instanceof NotInstalledError ? 'not installed' : 'cannot be measured';
      console.log(`${contender.title} ${what}: ${why}`);
      absent.push({ contender, version: '', problem: { what, why: why.split('\n')[0] ?? '' } });
    }
  }
  return { entrants, absent };
}

/** In the order of the contenders. */
function rowsOf(entrants: Entrant[], absent: Row[]): Row[] {
  const rows = [
    ...entrants.map(({ contender, running, problem }) => ({ contender, version: running.version, problem })),
    ...absent,
  ];
  return rows.sort((a, b) => CONTENDERS.indexOf(a.contender) - CONTENDERS.indexOf(b.contender));
}
