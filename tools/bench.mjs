// `npm run bench [-- --quick]`: the built service against bare Fastify and pg (docs/BENCHMARKS.md).
import { createRequire } from 'node:module';
import { ensureBuilt } from './ensure-built.mjs';

const require = createRequire(import.meta.url);

try {
  await ensureBuilt();
  require('@swc-node/register');
  const { runBenchmarks } = require('../test/bench/run.ts');
  await runBenchmarks({ quick: process.argv.includes('--quick') });
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
