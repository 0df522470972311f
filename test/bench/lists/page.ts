import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { machineFacts } from '../machine';
import type { ListFigures } from './lists';
import type { Part } from './parts';

export const PAGE = path.resolve(__dirname, '../../../docs/BENCHMARKS-LISTS.md');
export const ROUNDS = 40;
const FLAT = 1.5;

/** What was measured of a part, by the size of the long one. */
export interface Measured {
  rows: number;
  figures: ListFigures[];
}

const count = (rows: number): string => rows.toLocaleString('en');

/** The figures of one part, a line for each request. */
export function tableOf({ reference }: Part, all: Measured[]): string {
  const first = all[0]?.figures ?? [];
  const heads = all.flatMap(({ rows }) => [`${count(reference)}, ms`, `${count(rows)}, ms`, 'ratio']);
  const lines = first.map(({ title, indexed }, nth) => {
    const cells = all.flatMap(({ figures }) => {
      const { referenceMs, ms, ratio } = figures[nth] ?? { referenceMs: NaN, ms: NaN, ratio: NaN };
      return [
        referenceMs.toFixed(1),
        ms.toFixed(1),
        ratio <= FLAT ? `${ratio.toFixed(2)}, flat` : `**${ratio.toFixed(2)}**`,
      ];
    });
    return `| ${[indexed ? title : `${title} ¹`, ...cells].join(' | ')} |`;
  });
  return [`| | ${heads.join(' | ')} |`, `| --- ${'| --- '.repeat(heads.length)}|`, ...lines].join('\n');
}

const begin = ({ name }: Part): string => `<!-- ${name} -->`;
const end = ({ name }: Part): string => `<!-- /${name} -->`;

/** The part as it was measured. */
function partOf(part: Part, all: Measured[]): string {
  const asked = all.map(({ rows }) => count(rows)).join(' and ');
  const reduced =
    Math.max(...all.map(({ rows }) => rows)) < Math.max(...part.full)
      ? `\n**Reduced**: this run had ${asked} ${part.name} (\`${part.variable}\`) in place of ${part.full.map(count).join(' and ')}.\n`
      : '';
  const machine = machineFacts('as installed with the project', process.cwd()).map(
    ([name, value]) => `- ${name}: ${value}`,
  );
  return `${begin(part)}

## ${part.title}

${count(part.reference)} ${part.name} in the one table, ${asked} in the other. ${part.rows}
${reduced}
${tableOf(part, all)}

${part.notes}

Measured on:

${machine.join('\n')}

${end(part)}`;
}

/** The part as the page has it already; undefined where it has none. */
function standing(part: Part): string | undefined {
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '';
  const [from, to] = [page.indexOf(begin(part)), page.indexOf(end(part))];
  return from < 0 || to < from ? undefined : page.slice(from, to + end(part).length);
}

/** The page: parts that were measured now, and the others as they stand. */
export function pageOf(parts: readonly Part[], measured: ReadonlyMap<Part, Measured[]>): string {
  const texts = parts.flatMap((part) => {
    const now = measured.get(part);
    return (now ? partOf(part, now) : standing(part)) ?? [];
  });
  return `# Lists and statistics, short and long

Made by \`npm run bench -- --lists\`: the same requests to a tenant with few rows and to one with many, in turns, one at a time; each figure
is the median of ${ROUNDS}, as the client sees it, and the ratio that of each round's two. A ratio up to ${FLAT} is called flat.

The built service (one process, \`ROLE=api\`) on PostgreSQL (every commit on disk), everything on as in production. A fifth of each table is
another tenant's. What else the machine did meets both sides alike: read the ratios, and the milliseconds only of an idle machine.

${texts.join('\n\n')}
`;
}
