import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Cleanup } from '../cleanup';
import { machineFacts } from '../machine';
import { measureQueues, type QueueFigures, type QueuePlan } from './queue';

const FULL: QueuePlan = { sessions: 5_000, perSession: 4, perSecond: 100, seconds: 20 };
const QUICK: QueuePlan = { sessions: 500, perSession: 4, perSecond: 100, seconds: 5 };
const ROUNDS = 3;
const PAGE = path.resolve(__dirname, '../../../docs/BENCHMARKS-QUEUE.md');

/** Compares the queue with BullMQ and pg-boss, and writes docs/BENCHMARKS-QUEUE.md unless it was quick. */
export async function runQueueBenchmark({ quick }: { quick: boolean }): Promise<void> {
  const cleanup = new Cleanup();
  const stop = (): void => void cleanup.run().finally(() => process.exit(1));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const plan = quick ? QUICK : FULL;
  const rounds: QueueFigures[][] = [];
  try {
    for (let round = 1; round <= (quick ? 1 : ROUNDS); round += 1) {
      console.log(`queues, round ${round}…`);
      rounds.push(await measureQueues(cleanup, plan));
      console.log(rounds.at(-1));
      await cleanup.run();
    }
  } finally {
    await cleanup.run();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
  if (quick) return;
  writeFileSync(PAGE, pageOf(rounds, plan));
  console.log(`Written to ${path.relative(process.cwd(), PAGE)}`);
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

function pageOf(rounds: QueueFigures[][], plan: QueuePlan): string {
  const names = rounds[0]?.map(({ name }) => name) ?? [];
  const of = (name: string, pick: (figures: QueueFigures) => number) =>
    median(rounds.flatMap((round) => round.filter((each) => each.name === name).map(pick)));
  const rows = names.map((name) => {
    const [rate, p50, p99] = [of(name, (f) => f.perSecond), of(name, (f) => f.p50Ms), of(name, (f) => f.p99Ms)];
    return `| ${name} | ${rate.toFixed(0)} | ${p50.toFixed(0)} | ${p99.toFixed(0)} |`;
  });
  const ratio = (name: string) => (of('Switchboard', (f) => f.perSecond) / of(name, (f) => f.perSecond)).toFixed(2);
  const machine = machineFacts('as installed with the project', process.cwd()).map(
    ([name, value]) => `- ${name}: ${value}`,
  );
  return `# The queue beside BullMQ and pg-boss

Made by \`npm run bench -- --queue\`: the median of ${rounds.length} rounds, in each of which the three do the same work one after the other, on one machine
with the WAHA that they call, PostgreSQL (every commit on disk) and Redis (its log on disk every second).

The work: ${plan.sessions * plan.perSession} messages of ${plan.sessions} sessions wait; for each a message id is asked for and the message is sent, to a WAHA that answers at once and
sends nothing, 100 at a time. Then ${plan.perSecond} messages a second are accepted for ${plan.seconds} s, and it is measured how long each takes from before it is posted
until WAHA is told to send it. Switchboard is one process that also serves the requests; it keeps the order of each chat, the pace of each
session, a lease for each lane, the attempt on record before it is made, and its history. The others keep none of that.

|  | messages/s | p50 ms | p99 ms |
| --- | --- | --- | --- |
${rows.join('\n')}

Messages a second against BullMQ: **${ratio('BullMQ')}**, against pg-boss: **${ratio('pg-boss')}**. Aims: at least their rate, p99 under 50 ms.

## Machine

${machine.join('\n')}
`;
}
