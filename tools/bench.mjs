// `npm run bench [-- --quick] [-- --only=d,f] [-- --queue] [-- --files] [-- --lists] [-- --gateway] [-- --gateway-match]`: the built service against bare
// Fastify and pg (docs/BENCHMARKS.md), its queue beside BullMQ and pg-boss (docs/BENCHMARKS-QUEUE.md), and, only when asked for, its
// lists with a long history (docs/BENCHMARKS-LISTS.md), its gateway beside other proxies (docs/BENCHMARKS-GATEWAY.md) and the gateway's
// table of routes with few and with many of them (docs/BENCHMARKS-MATCH.md).
import { createRequire } from 'node:module';
import { ensureBuilt } from './ensure-built.mjs';

const require = createRequire(import.meta.url);

try {
  await ensureBuilt();
  require('@swc-node/register');
  const { runBenchmarks } = require('../test/bench/run.ts');
  const { runQueueBenchmark } = require('../test/bench/queue/run.ts');
  const { runListsBenchmark } = require('../test/bench/lists/run.ts');
  const { runGatewayBenchmark } = require('../test/bench/gateway/run.ts');
  const { runMatchBenchmark } = require('../test/bench/match/run.ts');
  const only = process.argv.find((argument) => argument.startsWith('--only='));
  const some = only?.slice('--only='.length).split(',');
  const quick = process.argv.includes('--quick');
  const { runFilesBenchmark } = require('../test/bench/files/run.ts');
  const queueAlone = process.argv.includes('--queue');
  const files = process.argv.includes('--files');
  const lists = process.argv.includes('--lists');
  const gateway = process.argv.includes('--gateway');
  const match = process.argv.includes('--gateway-match');
  const all = !queueAlone && !files && !lists && !gateway && !match;
  if (all) await runBenchmarks({ quick, only: some });
  if (files || (all && !only)) await runFilesBenchmark({ quick });
  if (queueAlone || (all && !only)) await runQueueBenchmark({ quick });
  if (gateway) await runGatewayBenchmark({ quick, only: some });
  if (match) await runMatchBenchmark({ quick });
  if (lists) await runListsBenchmark({ quick });
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
