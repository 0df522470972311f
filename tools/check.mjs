// npm run check: everything that must hold before a commit, two at a time, with one line for each and the output of what
// failed. The build comes first: the OpenAPI document is read from it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

const bin = (name) => `node_modules/.bin/${name}`;
const node = existsSync(bin('node')) ? bin('node') : process.execPath;

const checks = [
  // The longest first, so that the two places stay filled.
  // The tests of processes have built the same sources already, where they ran before.
  { name: 'build', command: [node, 'tools/build.mjs'] },
  {
    name: 'lint',
    command: [
      node,
      'node_modules/eslint/bin/eslint.js',
      '.',
      '--cache',
      '--cache-location',
      'node_modules/.cache/eslint/',
      '--max-warnings',
      '0',
    ],
  },
  { name: 'types', command: [node, 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.json', '--noEmit'] },
  { name: 'openapi', command: [node, 'tools/openapi.mjs', '--check'], after: 'build' },
  { name: 'variables', command: [node, '-r', '@swc-node/register', 'tools/env-example.ts', '--check'] },
  { name: 'errors', command: [node, '-r', '@swc-node/register', 'tools/errors-page.ts', '--check'] },
  { name: 'roles', command: [node, '-r', '@swc-node/register', 'tools/roles-page.ts', '--check'] },
  { name: 'links', command: [node, 'tools/check-links.mjs'] },
  { name: 'format', command: [bin('prettier'), '--check', '.', '--cache'] },
  { name: 'imports', command: [bin('depcruise'), 'src', 'migrations', 'ormconfig.ts'] },
  { name: 'unused', command: [bin('knip')] },
  { name: 'lockfile', command: [node, 'tools/check-lock.mjs'] },
];

const run = ({ command: [program, ...args] }) =>
  new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', (error) => (output += error.message));
    child.on('close', (code) => resolve({ ok: code === 0, output, seconds: (performance.now() - started) / 1000 }));
  });

const results = new Map();
const waiting = [...checks];

async function worker() {
  for (;;) {
    const index = waiting.findIndex(({ after }) => !after || results.has(after));
    const [check] = index < 0 ? [] : waiting.splice(index, 1);
    if (!check && waiting.length === 0) return;
    if (!check) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      continue;
    }
    const prerequisite = check.after && results.get(check.after);
    const result =
      prerequisite && !prerequisite.ok ? { ok: false, output: `${check.after} failed`, seconds: 0 } : await run(check);
    results.set(check.name, result);
    console.log(`${result.ok ? 'ok    ' : 'FAILED'} ${check.name.padEnd(10)} ${result.seconds.toFixed(1)} s`);
  }
}

await Promise.all([worker(), worker()]);

const failed = checks.filter(({ name }) => !results.get(name).ok);
for (const { name } of failed) console.log(`\n── ${name} ──\n${results.get(name).output.trim()}`);
console.log(
  failed.length === 0 ? `\nall ${checks.length} checks hold` : `\n${failed.length} of ${checks.length} failed`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
