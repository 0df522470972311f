// The Node that `npm ci` brings along, for whoever starts a tool with an older one of their own.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

/** The oldest Node that the service runs on, as in src/platform/process/node-version.ts. */
const OLDEST = [22, 19];

const folder = path.resolve(import.meta.dirname ?? 'tools', '..', 'node_modules', 'node', 'bin');
const program = [path.join(folder, 'node'), path.join(folder, 'node.exe')].find(existsSync);

const [major, minor] = process.versions.node.split('.').map(Number);

/** Whether the service cannot run on the Node that runs this. */
export const isTooOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);

/** Runs the script with the pinned Node instead, passes signals on, and ends as it does. */
export async function runPinned(script) {
  if (!program) {
    process.stderr.write(
      `Node ${OLDEST.join('.')} or newer is needed, this is ${process.versions.node}: npm ci brings one\n`,
    );
    process.exit(78);
  }
  const child = spawn(program, [script, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  process.exit(code ?? 1);
}
