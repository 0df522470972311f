// `npm run bench [-- --quick] [-- --only=d,f] [-- --queue] [-- --files]`: the built service against bare Fastify and pg (docs/BENCHMARKS.md), and
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
  const { runFilesBenchmark } = require('../test/bench/files/run.ts');
  const queueAlone = process.argv.includes('--queue');
  const filesAlone = process.argv.includes('--files');
  if (!queueAlone && !filesAlone) await runBenchmarks({ quick, only: only?.slice('--only='.length).split(',') });
  if (!only && !queueAlone) await runFilesBenchmark({ quick });
  if (!only && !filesAlone) await runQueueBenchmark({ quick });
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
