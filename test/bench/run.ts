import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeBed } from './bed';
import { measureIdleMemory } from './idle-memory';
import { machineFacts } from './machine';
import { compare, type Comparison, type Plan } from './measure';
import { pageOf, tableOf, verdictsOf } from './report';
import { assertSameAnswers, scenariosOf } from './scenarios';

const FULL: Plan = { rounds: 7, seconds: 4, warmUpSeconds: 4 };
const QUICK: Plan = { rounds: 3, seconds: 1, warmUpSeconds: 1 };
const CONNECTIONS = [64, 1];
const PAGE = path.resolve(__dirname, '../../docs/BENCHMARKS.md');

/**
 * Compares the built service with bare Fastify and pg, prints the table, and writes docs/BENCHMARKS.md unless it was quick.
 * @throws Error when any request fails or the two do not answer the same
 */
export async function runBenchmarks({ quick }: { quick: boolean }): Promise<void> {
  const plan = quick ? QUICK : FULL;
  const bed = await makeBed();
  const stop = (): void => void bed.stop().finally(() => process.exit(1));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const comparisons: Comparison[] = [];
  const facts = machineFacts(bed.postgres.version, bed.folder);
  try {
    for (const scenario of await scenariosOf(bed)) {
      await assertSameAnswers(bed, scenario);
      for (const connections of CONNECTIONS) {
        console.log(`${scenario.title}, ${connections} connections…`);
        comparisons.push(await compare(bed, scenario, connections, plan));
      }
    }
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    await bed.stop();
  }
  console.log('idle memory…');
  const idleMiB = await measureIdleMemory();
  console.log(`\n${tableOf(comparisons)}\n\n${verdictsOf(comparisons, idleMiB)}`);
  if (quick) return console.log('\nA quick run says little and is not written to docs/BENCHMARKS.md.');
  writeFileSync(PAGE, pageOf({ facts, comparisons, idleMiB, plan }));
  console.log(`\nWritten to ${path.relative(process.cwd(), PAGE)}`);
}
