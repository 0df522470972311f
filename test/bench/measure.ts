import type { Bed } from './bed';
import { cpuUsOf, cpuUsOfFamily } from './cpu';
import type { LoadOrder, LoadResult, Server } from './programs';
import type { Scenario } from './scenarios';

/** How long and how often. */
export interface Plan {
  rounds: number;
  seconds: number;
  warmUpSeconds: number;
}

/** Of one server: medians over the rounds. CPU in microseconds for each request. */
export interface Figures {
  requestsPerS: number;
  p50Ms: number;
  p99Ms: number;
  serverCpuUs: number;
  postgresCpuUs: number;
}

export interface Comparison {
  scenario: Scenario;
  connections: number;
  service: Figures;
  reference: Figures;
  /** Median of each round's ratio of requests per second, and the lowest and highest of them. */
  ratio: { median: number; lowest: number; highest: number };
}

/** Signed requests are made before the clock starts: a run may use so many times what the one before needed. */
const SPARE = 2;
const SIGNED_AT_FIRST_PER_S = 4_000;

/** Measures service and reference in turns, so that a change of the machine meets both; who goes first changes too. */
export async function compare(bed: Bed, scenario: Scenario, connections: number, plan: Plan): Promise<Comparison> {
  const sides = { service: [] as Figures[], reference: [] as Figures[] };
  const names = ['service', 'reference'] as const;
  const paces = { service: SIGNED_AT_FIRST_PER_S, reference: SIGNED_AT_FIRST_PER_S };
  for (let round = -1; round < plan.rounds; round += 1) {
    const seconds = round < 0 ? plan.warmUpSeconds : plan.seconds;
    for (const name of round % 2 ? [...names].reverse() : names) {
      const request = scenario.request(`${connections}_${round + 1}_${name}`);
      const load = { request, connections, seconds, atMost: Math.ceil(paces[name] * SPARE * seconds) };
      const server = name === 'service' ? bed.service : bed[scenario.against ?? 'reference'];
      const figures = await measure(bed, server, load);
      paces[name] = Math.max(paces[name], figures.requestsPerS);
      if (round >= 0) sides[name].push(figures);
    }
  }
  return { scenario, connections, ...summary(sides) };
}

async function measure({ generator, postgres }: Bed, server: Server, load: Omit<LoadOrder, 'port'>): Promise<Figures> {
  const before = [cpuUsOf(server.pid), cpuUsOfFamily(postgres.pid)] as const;
  const order: LoadOrder = { ...load, port: server.port };
  const { result } = await generator.ask<{ result: LoadResult }>(order);
  const after = [cpuUsOf(server.pid), cpuUsOfFamily(postgres.pid)] as const;
  const { requests, failures, elapsedS, p50Ms, p99Ms } = result;
  if (requests === 0 || Object.keys(failures).length > 0)
    throw new Error(`Not every request succeeded: ${JSON.stringify({ requests, failures, path: load.request.path })}`);
  return {
    ...{ requestsPerS: requests / elapsedS, p50Ms, p99Ms },
    serverCpuUs: (after[0] - before[0]) / requests,
    postgresCpuUs: (after[1] - before[1]) / requests,
  };
}

function summary(sides: {
  service: Figures[];
  reference: Figures[];
}): Pick<Comparison, 'service' | 'reference' | 'ratio'> {
  const ratios = sides.service.map(
    ({ requestsPerS }, round) => requestsPerS / (sides.reference[round]?.requestsPerS ?? NaN),
  );
  return {
    service: medians(sides.service),
    reference: medians(sides.reference),
    ratio: { median: median(ratios), lowest: Math.min(...ratios), highest: Math.max(...ratios) },
  };
}

const medians = (all: Figures[]): Figures => {
  const of = (name: keyof Figures): number => median(all.map((figures) => figures[name]));
  return {
    ...{ requestsPerS: of('requestsPerS'), p50Ms: of('p50Ms'), p99Ms: of('p99Ms') },
    ...{ serverCpuUs: of('serverCpuUs'), postgresCpuUs: of('postgresCpuUs') },
  };
};

/** Of an even count: halfway between the middle two. NaN of none. */
export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2
    ? (sorted[Math.floor(middle)] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}
