// `npm run bench [-- --quick] [-- --only=d,f] [-- --queue]`: the built service against bare Fastify and pg (docs/BENCHMARKS.md), and
// its queue beside BullMQ and pg-boss (docs/BENCHMARKS-QUEUE.md).
import { createRequire } from 'node:module';
import { ensureBuilt } from './ensure-built.mjs';

const require = createRequire(import.meta.url);

try {
  await ensureBuilt();
  require('@swc-node/register');
  const { runBenchmarks } = require('../test/bench/run.ts');
  const { runQueueBenchmark } = require('../test/bench/queue/run.ts');
  const only = process.argv.find((argument) => argument.startsWith('--only='));
  const quick = process.argv.includes('--quick');
  const queueAlone = process.argv.includes('--queue');
  if (!queueAlone) await runBenchmarks({ quick, only: only?.slice('--only='.length).split(',') });
  if (!only) await runQueueBenchmark({ quick });
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
