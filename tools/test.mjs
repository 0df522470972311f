// `npm test [-- …]`: everything, in two runs of Jest: what measures time (test/timed) comes last and alone, since on a busy
// machine it would measure its neighbours. With a path it is Jest's own single run.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const TIMED = 'test/timed/';
const OUTPUT = '--outputFile=';
const COUNTS = [
  'numFailedTests',
  'numFailedTestSuites',
  'numPassedTests',
  'numPassedTestSuites',
  'numPendingTests',
  'numRuntimeErrorTestSuites',
  'numTotalTests',
  'numTotalTestSuites',
];

const args = process.argv.slice(2);
const jest = (...more) => {
  const command = ['node_modules/jest/bin/jest.js', ...more];
  return spawnSync(process.execPath, command, { stdio: 'inherit' }).status ?? 1;
};

if (args.some((arg) => !arg.startsWith('-'))) process.exit(jest(...args));

const folder = mkdtempSync(path.join(os.tmpdir(), 'switchboard-test-'));
const rest = args.filter((arg) => !arg.startsWith(OUTPUT));
const runs = [
  [...rest, '--testPathIgnorePatterns', '/node_modules/', TIMED],
  [...rest, '--runInBand', '--testPathPatterns', TIMED],
].map((run, index) => {
  const file = path.join(folder, `${index}.json`);
  return { status: jest(...run, ...(args.includes('--json') ? [OUTPUT + file] : [])), file };
});

const target = args.find((arg) => arg.startsWith(OUTPUT))?.slice(OUTPUT.length);
if (target) {
  const results = runs.map(({ file }) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}));
  const sum = (name) => results.reduce((total, result) => total + (result[name] ?? 0), 0);
  writeFileSync(target, JSON.stringify(Object.fromEntries(COUNTS.map((name) => [name, sum(name)]))));
}
rmSync(folder, { recursive: true });
process.exit(runs.some(({ status }) => status !== 0) ? 1 : 0);
