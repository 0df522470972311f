import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeBed } from './bed';
import { Cleanup } from './cleanup';
import { signInAnew } from './identities';
import { measureIdleMemory } from './idle-memory';
import { machineFacts } from './machine';
import { compare, type Comparison, type Plan } from './measure';
import { pageOf, type Results, tableOf, verdictsOf } from './report';
import { assertSameAnswers, scenariosOf } from './scenarios';

const FULL: Plan = { rounds: 5, seconds: 4, warmUpSeconds: 12 };
const QUICK: Plan = { rounds: 3, seconds: 1, warmUpSeconds: 1 };
const CONNECTIONS = [64, 1];
const PAGE = path.resolve(__dirname, '../../docs/BENCHMARKS.md');

/**
 * Compares the built service with bare Fastify and pg, prints the table, and writes docs/BENCHMARKS.md unless it was quick or
 * measured some (letters of `only`) and not all.
 * @throws Error when any request fails or the two do not answer the same
 */
export async function runBenchmarks({ quick, only }: { quick: boolean; only?: string[] }): Promise<void> {
  const cleanup = new Cleanup();
  const stop = (): void => void cleanup.run().finally(() => process.exit(1));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const results = await measureAll(cleanup, quick ? QUICK : FULL, only);
    console.log(`\n${tableOf(results.comparisons)}\n\n${verdictsOf(results)}`);
    if (quick || only) return console.log('\nA quick or partial run is not written to docs/BENCHMARKS.md.');
    writeFileSync(PAGE, pageOf(results));
    console.log(`\nWritten to ${path.relative(process.cwd(), PAGE)}`);
  } finally {
    await cleanup.run();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

async function measureAll(cleanup: Cleanup, plan: Plan, only?: string[]): Promise<Results> {
  console.log('idle memory…');
  const idleMiB = await measureIdleMemory(cleanup);
  await cleanup.run();
  const bed = await makeBed(cleanup);
  const facts = machineFacts(bed.postgres.version, bed.folder);
  const comparisons: Comparison[] = [];
  for (const scenario of scenariosOf(bed)) {
    if (only && !only.includes(scenario.title.charAt(1))) continue;
    await signInAnew(bed.service, bed.customers, bed.identities);
    await assertSameAnswers(bed, scenario);
    for (const connections of CONNECTIONS) {
      console.log(`${scenario.title}, ${connections} connections…`);
      comparisons.push(await compare(bed, scenario, connections, plan));
    }
  }
  return { facts, comparisons, idleMiB, plan };
}
