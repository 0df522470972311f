import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Cleanup } from '../cleanup';
import { machineFacts } from '../machine';
import { type ListFigures, type ListsPlan, measureLists } from './lists';

const REFERENCE = 10_000;
const ROUNDS = 40;
const FULL = [1_000_000, 10_000_000];
const QUICK = [100_000];
/** The sizes of the long histories, by commas: for machines without the disk or the time for those of the page. */
const VARIABLE = 'BENCH_LISTS_MESSAGES';
const FLAT = 1.5;
const PAGE = path.resolve(__dirname, '../../../docs/BENCHMARKS-LISTS.md');

interface Measured {
  messages: number;
  figures: ListFigures[];
}

/** What lists and statistics cost with a long history against a short one; writes docs/BENCHMARKS-LISTS.md unless it was quick. */
export async function runListsBenchmark({ quick }: { quick: boolean }): Promise<void> {
  const cleanup = new Cleanup();
  const stop = (): void => void cleanup.run().finally(() => process.exit(1));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const all: Measured[] = [];
  try {
    for (const messages of quick ? QUICK : sizes()) {
      console.log(`lists, ${messages} messages…`);
      const plan: ListsPlan = { reference: REFERENCE, messages, rounds: quick ? 10 : ROUNDS };
      all.push({ messages, figures: await measureLists(cleanup, plan) });
      console.log(tableOf(all.slice(-1)));
      await cleanup.run();
    }
  } finally {
    await cleanup.run();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
  if (quick) return;
  writeFileSync(PAGE, pageOf(all));
  console.log(`Written to ${path.relative(process.cwd(), PAGE)}`);
}

function sizes(): number[] {
  const said = process.env[VARIABLE];
  if (!said) return FULL;
  const numbers = said.split(',').map(Number);
  if (numbers.some((number) => !Number.isInteger(number) || number < REFERENCE))
    throw new Error(`${VARIABLE} must be whole numbers of at least ${REFERENCE}, by commas`);
  return numbers;
}

const count = (messages: number): string => messages.toLocaleString('en');

function tableOf(all: Measured[]): string {
  const first = all[0]?.figures ?? [];
  const heads = all.flatMap(({ messages }) => [`${count(REFERENCE)}, ms`, `${count(messages)}, ms`, 'ratio']);
  const rows = first.map(({ scenario }, nth) => {
    const cells = all.flatMap(({ figures }) => {
      const { referenceMs, ms, ratio } = figures[nth] ?? { referenceMs: NaN, ms: NaN, ratio: NaN };
      return [
        referenceMs.toFixed(1),
        ms.toFixed(1),
        ratio <= FLAT ? `${ratio.toFixed(2)}, flat` : `**${ratio.toFixed(2)}**`,
      ];
    });
    return `| ${[scenario.indexed ? scenario.title : `${scenario.title} ¹`, ...cells].join(' | ')} |`;
  });
  return [`| | ${heads.join(' | ')} |`, `| --- ${'| --- '.repeat(heads.length)}|`, ...rows].join('\n');
}

function pageOf(all: Measured[]): string {
  const machine = machineFacts('as installed with the project', process.cwd()).map(
    ([name, value]) => `- ${name}: ${value}`,
  );
  const asked = all.map(({ messages }) => count(messages)).join(' and ');
  const reduced =
    Math.max(...all.map(({ messages }) => messages)) < Math.max(...FULL)
      ? `\n**Reduced**: this run had ${asked} messages (\`${VARIABLE}\`) in place of ${FULL.map(count).join(' and ')}.\n`
      : '';
  return `# Lists and statistics of a long history

Made by \`npm run bench -- --lists\`: the same requests to a tenant with a short history (${count(REFERENCE)} messages in the table) and to one with a long
one (${asked}), in turns, one at a time; each figure is the median of ${ROUNDS}, as the client sees it, and the ratio that of each
round's two. A ratio up to ${FLAT} is called flat.
${reduced}
The built service (one process, \`ROLE=api\`) on PostgreSQL (every commit on disk), everything on as in production. A fifth of each table is
another tenant's. The messages are spread over 90 days, in 8 sessions and 998 chats; what is "few and old" is 30 messages among the
300 oldest, where a walk from the newest finds it last. The figures of the statistics are filled by the expression that folds them.
What else the machine did meets both sides alike: read the ratios, and the milliseconds only of an idle machine.

${tableOf(all)}

¹ No index leads to these: messages are looked at one by one, 50,000 for a page at most. A page that is not full by then says in \`Link\` where
to go on, so its cost stops growing there, however long the history is. The ratio compares with a history of which all was looked at.

Statistics depend on how many quarters of an hour, sessions, senders and campaigns there are to add up, not on the messages: a history
of ${count(REFERENCE)} in 90 days has not filled them all.

## Machine

${machine.join('\n')}
`;
}
