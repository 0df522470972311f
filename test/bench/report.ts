import { cpuIsKnown } from './cpu';
import type { Comparison, Figures, Plan } from './measure';
import { explanation } from './explanation';

const IDLE_AIM_MIB = 200;

/** All that a page of results says. */
export interface Results {
  facts: [name: string, value: string][];
  comparisons: Comparison[];
  idleMiB: number;
  plan: Plan;
}

const HEADS = [
  '',
  'connections',
  '',
  'requests/s',
  'p50 ms',
  'p99 ms',
  'server CPU µs',
  'PostgreSQL CPU µs',
  'CPU µs in all',
];

/** Service and reference beside each other, as a Markdown table. */
export function tableOf(comparisons: Comparison[]): string {
  const rows = comparisons.flatMap(({ scenario, connections, service, reference, ratio }) => [
    [scenario.title, String(connections), 'service', ...cells(service)],
    ['', '', scenario.against ?? 'reference', ...cells(reference)],
    [
      '',
      '',
      '**ratio**',
      `**${ratio.median.toFixed(2)}** (${ratio.lowest.toFixed(2)}–${ratio.highest.toFixed(2)})`,
      ...ratios(service, reference),
    ],
  ]);
  return markdownTable(HEADS, rows);
}

/** Each aim and whether it was reached. */
export function verdictsOf({ comparisons, idleMiB }: Pick<Results, 'comparisons' | 'idleMiB'>): string {
  const atLoad = comparisons.filter(({ connections }) => connections > 1);
  const rows = atLoad.map(({ scenario, ratio }) => [
    `${scenario.title}: requests/s against ${scenario.against ? 'the same without audit' : 'the reference'}`,
    `≥ ${scenario.aim.toFixed(2)}`,
    ratio.median.toFixed(2),
    ratio.median >= scenario.aim ? 'reached' : 'MISSED',
  ]);
  const memory = [
    'Memory of the idle process without PostgreSQL',
    `< ${IDLE_AIM_MIB} MiB`,
    `${idleMiB.toFixed(0)} MiB`,
  ];
  return markdownTable(
    ['', 'aim', 'measured', ''],
    [...rows, [...memory, idleMiB < IDLE_AIM_MIB ? 'reached' : 'MISSED']],
  );
}

/** The page docs/BENCHMARKS.md. */
export function pageOf({ facts, comparisons, idleMiB, plan }: Results): string {
  const machine = facts.map(([name, value]) => `- ${name}: ${value}`).join('\n');
  const { before, after } = explanation(plan);
  const parts = [before, `## Aims\n\n${verdictsOf({ comparisons, idleMiB })}`, `## Figures\n\n${tableOf(comparisons)}`];
  return `${[...parts, `## Machine\n\n${machine}`, after].join('\n\n')}\n`;
}

const cpu = (us: number): string => (cpuIsKnown ? us.toFixed(0) : '–');

const cells = ({ requestsPerS, p50Ms, p99Ms, serverCpuUs, postgresCpuUs }: Figures): string[] => [
  requestsPerS.toFixed(0),
  p50Ms.toFixed(2),
  p99Ms.toFixed(2),
  cpu(serverCpuUs),
  cpu(postgresCpuUs),
  cpu(serverCpuUs + postgresCpuUs),
];

function ratios(service: Figures, reference: Figures): string[] {
  const of = (name: keyof Figures): string => (service[name] / reference[name]).toFixed(2);
  const whole = ({ serverCpuUs, postgresCpuUs }: Figures): number => serverCpuUs + postgresCpuUs;
  const cpuRatios = [of('serverCpuUs'), of('postgresCpuUs'), (whole(service) / whole(reference)).toFixed(2)];
  return [of('p50Ms'), of('p99Ms'), ...(cpuIsKnown ? cpuRatios : cpuRatios.map(() => '–'))];
}

/** A table, its columns as wide as their widest cell. */
export function markdownTable(heads: string[], rows: string[][]): string {
  const widths = heads.map((head, column) =>
    Math.max(3, ...[head, ...rows.map((row) => row[column] ?? '')].map((text) => text.length)),
  );
  const line = (cells: string[]): string =>
    `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(heads), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
