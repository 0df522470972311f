import { cpuIsKnown } from '../cpu';
import { markdownTable } from '../report';
import type { Contender } from './contenders';
import { SCENARIOS, type ScenarioName } from './requests';
import type { Figures, Plan, Problem } from './rounds';

/** One row: a contender that was measured, or not, or not to the end. */
export interface Row {
  contender: Contender;
  version: string;
  problem?: Problem;
}

/** All that a page of results says. */
export interface Results {
  facts: [name: string, value: string][];
  plan: Plan;
  rows: Row[];
  upstream: string;
  load: string;
  figures: Map<ScenarioName, Map<string, Figures>>;
}

const NOTHING = '–';
const AIMS = { cpuOfLoop: 1.25, small: 0.38, large: 0.35, addedMs: 0.1 };

const HEADS = [
  '',
  'requests/s',
  'p50 ms',
  'p99 ms',
  'CPU µs',
  'of nginx',
  'of direct',
  'of the loop',
  'CPU, of the loop',
  'p50 over direct, ms',
  'upstream CPU µs',
  'load, cores',
  'foreign, cores',
];

/** The contenders beside each other in one kind of request, as a Markdown table. */
export function tableOf({ rows, figures }: Results, name: ScenarioName): string {
  const measured = figures.get(name) ?? new Map<string, Figures>();
  return markdownTable(
    HEADS,
    rows.map((row) => [titleOf(row), ...cells(row, measured)]),
  );
}

const titleOf = ({ contender, version }: Row): string =>
  contender.kind === 'node' || contender.kind === 'native' ? `${contender.title} ${version}`.trim() : contender.title;

function cells({ contender, problem }: Row, measured: Map<string, Figures>): string[] {
  const own = measured.get(contender.id);
  if (!own) return [problem?.what ?? 'not measured', ...HEADS.slice(2).map(() => '')];
  const ratio = (to: string, of: keyof Figures): string => number(quotient(own, measured.get(to), of), 2);
  const direct = contender.kind === 'direct';
  return [
    ...[own.requestsPerS.toFixed(0), own.p50Ms.toFixed(2), own.p99Ms.toFixed(2)],
    direct ? NOTHING : cpu(own.cpuUs),
    ...[ratio('nginx', 'requestsPerS'), ratio('direct', 'requestsPerS'), ratio('loop', 'requestsPerS')],
    direct || !cpuIsKnown ? NOTHING : ratio('loop', 'cpuUs'),
    direct ? NOTHING : number(own.p50Ms - (measured.get('direct')?.p50Ms ?? NaN), 2),
    ...[cpu(own.upstreamCpuUs), cores(own.loadCores), cores(own.foreignCores)],
  ];
}

/** Why rows are without figures, one line each; '' when none is. */
export const leftOut = ({ rows }: Results): string =>
  rows
    .flatMap(({ contender, problem }) => (problem ? [`- ${contender.title} ${problem.what}: ${problem.why}`] : []))
    .join('\n');

const cpu = (us: number): string => (cpuIsKnown ? us.toFixed(0) : NOTHING);
const cores = (count: number): string => (cpuIsKnown ? count.toFixed(2) : NOTHING);
const number = (value: number, digits: number): string => (Number.isFinite(value) ? value.toFixed(digits) : NOTHING);
const quotient = (own: Figures | undefined, to: Figures | undefined, of: keyof Figures): number =>
  (own?.[of] ?? NaN) / (to?.[of] ?? NaN);

/** By their ids: the first is judged, as silent as the others; the second is told beside it. */
const OWN = ['switchboard', 'switchboard-logging'] as const;
type Own = (typeof OWN)[number];

/** An aim: what was measured, by which bound it is judged, and which way. */
interface Verdict {
  what: string;
  aim: string;
  digits: number;
  measured(own: Own): number;
  holds(measured: number): boolean;
  note?: string;
}

/** Each aim and whether it was reached. */
export function verdictsOf(results: Results): string {
  const verdicts = [
    ...(['small', 'large', 'post'] as const).flatMap((name) => underLoad(results, name)),
    alone(results),
  ];
  return markdownTable(
    ['', 'aim', 'without a log', '', 'with its access log', ''],
    verdicts.map(({ what, aim, measured, digits, holds, note }) => [
      note ? `${what} (${note})` : what,
      aim,
      ...OWN.flatMap((own) => [number(measured(own), digits), judged(measured(own), holds)]),
    ]),
  );
}

const judged = (measured: number, holds: Verdict['holds']): string =>
  Number.isFinite(measured) ? (holds(measured) ? 'reached' : 'MISSED') : 'not measured';

function underLoad({ rows, figures }: Results, name: 'small' | 'large' | 'post'): Verdict[] {
  const all = figures.get(name) ?? new Map<string, Figures>();
  const peers = rows
    .filter(({ contender }) => contender.kind === 'node')
    .map(({ contender }) => ({ title: contender.title, figures: all.get(contender.id) }))
    .filter((peer): peer is { title: string; figures: Figures } => peer.figures !== undefined);
  const fastest = [...peers].sort((a, b) => b.figures.requestsPerS - a.figures.requestsPerS)[0];
  const thriftiest = [...peers].sort((a, b) => a.figures.cpuUs - b.figures.cpuUs)[0];
  const { title } = SCENARIOS[name];
  const against =
    (to: Figures | undefined, of: keyof Figures): Verdict['measured'] =>
    (own) =>
      quotient(all.get(own), to, of);
  const rate = against(fastest?.figures, 'requestsPerS');
  const verdicts: Verdict[] = [
    {
      ...{ what: `${title}: requests/s against the fastest Node proxy`, aim: '> 1.00', digits: 2, measured: rate },
      ...{ holds: (measured) => measured > 1, note: fastest?.title },
    },
    {
      ...{ what: `${title}: CPU against the Node proxy that needs least`, aim: '< 1.00', digits: 2 },
      ...{ measured: against(thriftiest?.figures, 'cpuUs'), holds: (measured) => measured < 1 },
      note: thriftiest?.title,
    },
    {
      ...{ what: `${title}: CPU against the bare loop`, aim: `≤ ${AIMS.cpuOfLoop.toFixed(2)}`, digits: 2 },
      ...{ measured: against(all.get('loop'), 'cpuUs'), holds: (measured) => measured <= AIMS.cpuOfLoop },
    },
  ];
  if (name === 'post') return verdicts;
  const least = AIMS[name];
  const ofNginx: Verdict = {
    ...{ what: `${title}: requests/s against nginx`, aim: `≥ ${least.toFixed(2)}`, digits: 2 },
    ...{ measured: against(all.get('nginx'), 'requestsPerS'), holds: (measured) => measured >= least },
  };
  return [...verdicts, ofNginx];
}

function alone({ figures }: Results): Verdict {
  const all = figures.get('alone');
  return {
    ...{ what: `${SCENARIOS.alone.title}: median over direct, ms`, aim: `≤ ${AIMS.addedMs.toFixed(2)}`, digits: 3 },
    measured: (own) => (all?.get(own)?.p50Ms ?? NaN) - (all?.get('direct')?.p50Ms ?? NaN),
    holds: (measured) => measured <= AIMS.addedMs,
  };
}

/** The page docs/BENCHMARKS-GATEWAY.md. */
export function pageOf(results: Results): string {
  const names = Object.keys(SCENARIOS) as ScenarioName[];
  const tables = names.map((name) => `### ${SCENARIOS[name].title}\n\n${tableOf(results, name)}`);
  const facts = [...results.facts, ['Upstream', results.upstream], ['Load', results.load]];
  const machine = facts.map(([name, value]) => `- ${name}: ${value}`).join('\n');
  return `# The gateway beside other proxies

${method(results)}

## Aims

${verdictsOf(results)}

## Figures

${tables.join('\n\n')}

${[databases(results), leftOut(results)].filter(Boolean).join('\n\n')}

## Machine

${machine}
`;
}

const method = ({
  plan,
  load,
}: Results): string => `Made by \`npm run bench -- --gateway\`: the same requests to the same upstream, through each of these in turn.

- **direct**: no proxy, the load goes to the upstream.
- **nginx**, **haproxy**: one worker, one thread, connections to the upstream kept open; started with a configuration of their own.
- **node:http + undici dispatch** (\`test/bench/gateway/dispatch-loop.mjs\`): the floor of the runtime. It streams as a proxy must and
  does nothing else; \`Pool.dispatch\` with a handler of its own is what the gateway is built on too.
- **Switchboard**: the built service, one process with \`NODE_ENV=production\` and \`ROLE=gateway\`, real PostgreSQL and Redis, everything
  on: the key is checked, one of the tenant's 1,000 routes is matched, the limits of key and route are counted, an upstream is
  chosen of two by weight, headers are set, metrics are kept. Once with \`LOG_LEVEL=warn\`, for nobody else here writes a log, and
  once with its access log, a line for each request, into a file. Two settings of V8's collector are changed in it, as always
  ([0041](decisions/0041-collector.md)); the other programs run with V8's own.
- **Node proxies** that others made, of the versions in \`test/bench/gateway/peers/package.json\`; none of them checks anything. All of Node
  run on the same Node, one process each, with connections to the upstream kept open.

Each adds \`X-Forwarded-For\`, \`-Proto\`, \`-Host\` and \`X-Request-Id\` (express-gateway its own). HTTP/1.1 without TLS, over
loopback. Before anything is measured each must give the right bytes and bring a posted body through unchanged, and the
gateway must refuse without a key, with a wrong one, without a route and above a limit, reach both upstreams, and count.

In each of ${plan.rounds} rounds every one is measured for ${plan.seconds} s, in random order, after ${plan.warmUpSeconds} s of warm-up. The load (${load}) and the upstream share
the machine with what is measured, so the fastest are held down by them and not by themselves: read ratios, and rank by CPU. CPU is
user and system time of the contender's processes for each request. "Load, cores" is what the load tool used: at 1.00 it would be
what is measured. "Foreign" is what the machine did beside all this; each figure is the median of that half of a contender's
rounds in which it was lowest. One request that fails ends the run, or takes a peer out of it, and its row says so.`;

function databases({ figures }: Results): string {
  const own = figures.get('small')?.get('switchboard');
  if (!own || !cpuIsKnown) return 'Switchboard was not measured in this run.';
  return `PostgreSQL and Redis of Switchboard used ${own.helpersCpuUs.toFixed(1)} µs of CPU a request of 1 KiB at 64 connections; that is not in its row.`;
}
