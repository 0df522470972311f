// `npm run bench [-- --quick] [-- --only=d,f]`: the built service against bare Fastify and pg (docs/BENCHMARKS.md).
import { createRequire } from 'node:module';
import { ensureBuilt } from './ensure-built.mjs';

const require = createRequire(import.meta.url);

try {
  await ensureBuilt();
  require('@swc-node/register');
  const { runBenchmarks } = require('../test/bench/run.ts');
  const only = process.argv.find((argument) => argument.startsWith('--only='));
  await runBenchmarks({ quick: process.argv.includes('--quick'), only: only?.slice('--only='.length).split(',') });
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
