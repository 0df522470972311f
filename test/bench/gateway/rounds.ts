import { setTimeout as sleep } from 'node:timers/promises';
import { cpuIsKnown, cpuUsOf, cpuUsOfFamily, cpuUsOfMachine } from '../cpu';
import { median } from '../measure';
import type { Contender } from './contenders';
import type { Ground, Running } from './ground';
import type { LoadTool } from './load';
import type { Scenario } from './requests';

/** How long and how often. */
export interface Plan {
  rounds: number;
  seconds: number;
  warmUpSeconds: number;
}

/** Of one contender: of one run, or the medians of its calmest runs. CPU in microseconds for each request. */
export interface Figures {
  requestsPerS: number;
  p50Ms: number;
  p99Ms: number;
  cpuUs: number;
  /** Of its databases. */
  helpersCpuUs: number;
  upstreamCpuUs: number;
  /** Cores that the load tool kept busy: one is all that it has. */
  loadCores: number;
  /** Cores that were busy with nothing of this. */
  foreignCores: number;
}

/** Why a contender has no figures: in two or three words for its row, and in full. */
export interface Problem {
  what: string;
  why: string;
}

/** A contender that runs; `problem` once a run of it has failed, and it takes part no longer. */
export interface Entrant {
  contender: Contender;
  running: Running;
  problem?: Problem;
}

/** What a run is made with. */
export interface Stand {
  ground: Ground;
  load: LoadTool;
  plan: Plan;
}

/** Between two runs: what the last one left to be tidied up is not the next one's. */
const PAUSE_MS = 200;

/** Measures all of them in one kind of request, each round in another order, so that what else happens meets all alike. */
export async function compareAll(stand: Stand, scenario: Scenario, entrants: Entrant[]): Promise<Map<string, Figures>> {
  const samples = new Map<string, Figures[]>();
  for (let round = -1; round < stand.plan.rounds; round += 1)
    for (const entrant of shuffled(entrants.filter(({ problem }) => !problem))) {
      const figures = await tryRun(stand, scenario, entrant, round < 0);
      if (!figures || round < 0) continue;
      const { id } = entrant.contender;
      samples.set(id, [...(samples.get(id) ?? []), figures]);
    }
  return new Map([...samples].map(([id, runs]) => [id, calmest(runs)]));
}

async function tryRun(
  stand: Stand,
  scenario: Scenario,
  entrant: Entrant,
  warmUp: boolean,
): Promise<Figures | undefined> {
  try {
    return await run(stand, scenario, entrant.running, warmUp ? stand.plan.warmUpSeconds : stand.plan.seconds);
  } catch (error) {
    if (!entrant.contender.optional) throw error;
    const why = error instanceof Error ? error.message : String(error);
    entrant.problem = { what: 'failed', why: `${scenario.title}: ${why}` };
    console.log(`${entrant.contender.title} failed: ${why}`);
    return undefined;
  }
}

async function run({ ground, load }: Stand, scenario: Scenario, running: Running, seconds: number): Promise<Figures> {
  await sleep(PAUSE_MS);
  const look = () => ({
    own: familiesCpuUs(running.pids),
    helpers: familiesCpuUs(running.helpers),
    upstream: familiesCpuUs(ground.upstream.pids),
    load: load.cpuUs(),
    bench: cpuUsOf(process.pid),
    machine: cpuUsOfMachine(),
    atMs: performance.now(),
  });
  const before = look();
  const { requests, elapsedS, p50Ms, p99Ms } = await load.run(running, scenario, seconds);
  const after = look();
  const used = (of: keyof typeof before): number => after[of] - before[of];
  const ours = used('own') + used('helpers') + used('upstream') + used('load') + used('bench');
  const wholeUs = used('atMs') * 1_000;
  return {
    ...{ requestsPerS: requests / elapsedS, p50Ms, p99Ms },
    cpuUs: used('own') / requests,
    helpersCpuUs: used('helpers') / requests,
    upstreamCpuUs: used('upstream') / requests,
    loadCores: used('load') / wholeUs,
    foreignCores: cpuIsKnown ? Math.max(0, used('machine') - ours) / wholeUs : 0,
  };
}

const familiesCpuUs = (pids: number[]): number => pids.reduce((sum, pid) => sum + cpuUsOfFamily(pid), 0);

/** The medians of the half of the runs in which the machine did least else. */
export function calmest(runs: Figures[]): Figures {
  const calm = [...runs].sort((a, b) => a.foreignCores - b.foreignCores).slice(0, Math.ceil(runs.length / 2));
  const of = (name: keyof Figures): number => median(calm.map((figures) => figures[name]));
  return {
    ...{ requestsPerS: of('requestsPerS'), p50Ms: of('p50Ms'), p99Ms: of('p99Ms'), cpuUs: of('cpuUs') },
    ...{ helpersCpuUs: of('helpersCpuUs'), upstreamCpuUs: of('upstreamCpuUs') },
    ...{ loadCores: of('loadCores'), foreignCores: of('foreignCores') },
  };
}

function shuffled<T>(all: T[]): T[] {
  const keyed = all.map((one) => ({ one, key: Math.random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ one }) => one);
}
