import type { AuditedWrites } from './audited-write';
import { cpuIsKnown } from './cpu';
import type { Comparison, Figures, Plan } from './measure';
import { explanation } from './explanation';

const IDLE_AIM_MIB = 200;
const AUDIT_AIM = 0.75;

/** All that a page of results says. */
export interface Results {
  facts: [name: string, value: string][];
  comparisons: Comparison[];
  auditedWrites: AuditedWrites[];
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
    ['', '', 'reference', ...cells(reference)],
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

/** Writes without and with their audit record, as a Markdown table. */
export function auditTableOf(writes: AuditedWrites[]): string {
  const rows = writes.map(({ title, plainPerS, auditedPerS, ratio }) => [
    `(f) in ${title}`,
    plainPerS.toFixed(0),
    auditedPerS.toFixed(0),
    `**${ratio.toFixed(2)}**`,
  ]);
  return markdownTable(['a change of a user', 'writes/s', 'audited writes/s', 'ratio'], rows);
}

/** Each aim and whether it was reached. */
export function verdictsOf({ comparisons, auditedWrites, idleMiB }: Omit<Results, 'facts' | 'plan'>): string {
  const atLoad = comparisons.filter(({ connections }) => connections > 1);
  const rows = atLoad.map(({ scenario, ratio }) => [
    `${scenario.title}: requests/s against the reference`,
    `≥ ${scenario.aim.toFixed(2)}`,
    ratio.median.toFixed(2),
    ratio.median >= scenario.aim ? 'reached' : 'MISSED',
  ]);
  const audit = auditedWrites.map(({ title, ratio }) => [
    `(f) audited write in ${title}: writes/s against the same without audit`,
    `≥ ${AUDIT_AIM.toFixed(2)}`,
    ratio.toFixed(2),
    ratio >= AUDIT_AIM ? 'reached' : 'MISSED',
  ]);
  const memory = [
    'Memory of the idle process without PostgreSQL',
    `< ${IDLE_AIM_MIB} MiB`,
    `${idleMiB.toFixed(0)} MiB`,
  ];
  return markdownTable(
    ['', 'aim', 'measured', ''],
    [...rows, ...audit, [...memory, idleMiB < IDLE_AIM_MIB ? 'reached' : 'MISSED']],
  );
}

/** The page docs/BENCHMARKS.md. */
export function pageOf(results: Results): string {
  const { facts, comparisons, auditedWrites, plan } = results;
  const machine = facts.map(([name, value]) => `- ${name}: ${value}`).join('\n');
  const { before, after } = explanation(plan);
  const figures = `${tableOf(comparisons)}\n\n${auditTableOf(auditedWrites)}`;
  const parts = [before, `## Aims\n\n${verdictsOf(results)}`, `## Figures\n\n${figures}`];
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

function markdownTable(heads: string[], rows: string[][]): string {
  const widths = heads.map((head, column) =>
    Math.max(3, ...[head, ...rows.map((row) => row[column] ?? '')].map((text) => text.length)),
  );
  const line = (cells: string[]): string =>
    `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(heads), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
