import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { stopEmbeddedPostgres } from '../../src/embedded/postgres';
import { commandLine, isAlive } from '../../src/embedded/processes';
import { rolePassword } from '../../src/platform/database/role-access';

/** The checkout. */
export const rootFolder = path.resolve(__dirname, '../..');

/** Of the superuser of every PostgreSQL server in the tests. */
export const TEST_PASSWORD = 'test-only-password';

/** Only ever used by tests; made up, so that a process in production takes it too. */
export const TEST_ENCRYPTION_KEY = createHash('sha256').update('only for tests').digest('base64');

/**
 * The login roles are named after it: `switchboard_test_app` and so on. The template database is migrated for these roles: an
 * application that names others puts the wall on every table anew when it starts, which takes it a second or two.
 */
export const TEST_ROLE_PREFIX = 'switchboard_test';

/** Of the login roles: the one that an application with that key gives them. */
export const TEST_ROLE_PASSWORD = rolePassword(TEST_ENCRYPTION_KEY);

const GIB = 2 ** 30;

/** tmpfs makes clones several times faster and steady, where there is enough of it: Docker's default is 64 MiB. */
function scratchFolder(): string {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    if (bavail * bsize > GIB) return '/dev/shm';
  } catch {
    // no such folder on this platform
  }
  return os.tmpdir();
}

/** Other checkouts and other accounts have other names, so that their runs do not meet. */
const prefix = [
  'switchboard-test',
  createHash('sha256').update(rootFolder).digest('hex').slice(0, 10),
  process.getuid?.() ?? 'user',
  '',
].join('-');

/** The folder of a run of Jest, or the one kept between runs: everything that its servers write lies below it. */
export function runFolder(run: number | 'kept'): string {
  return path.join(scratchFolder(), `${prefix}${run}`);
}

/** Makes a folder below the run's folder; traversable, because PostgreSQL of a run as root has another account. */
export function makeRunFolder(folder: string): string {
  for (const it of [path.dirname(folder), folder]) {
    mkdirSync(it, { recursive: true });
    chmodSync(it, 0o711);
  }
  return folder;
}

/** The folder of the present run, as the global setup announced it to the workers. */
export function presentRun(): string {
  const folder = process.env.TEST_RUN_FOLDER;
  if (!folder) throw new Error('TEST_RUN_FOLDER is not set: the tests run through Jest, whose global setup makes it');
  return folder;
}

/** Ends the servers that still run below the folder and removes it, but for the one server that is to be kept. */
export async function clearRun(folder: string, { keep }: { keep?: string } = {}): Promise<void> {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    if (name === keep) continue;
    const below = path.join(folder, name);
    await stopRedisOf(below);
    const dataDir = path.join(below, 'data');
    if (existsSync(dataDir)) await stopEmbeddedPostgres(dataDir, 'immediate');
    rmSync(below, { recursive: true, force: true });
  }
  if (keep === undefined) rmSync(folder, { recursive: true, force: true });
}

/** A worker that was killed leaves its Redis running; the number in its file may be another process by now. */
async function stopRedisOf(folder: string): Promise<void> {
  const file = path.join(folder, 'redis.pid');
  if (!existsSync(file)) return;
  const [pid, port] = readFileSync(file, 'utf8').split(' ').map(Number);
  if (pid && (await commandLine(pid))?.endsWith(`redis-server 127.0.0.1:${port}`)) process.kill(pid, 'SIGKILL');
}

/** Clears what runs that were killed left behind. */
export async function sweepDeadRuns(): Promise<void> {
  for (const name of readdirSync(scratchFolder())) {
    const run = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : NaN;
    if (!Number.isInteger(run) || (run !== process.pid && isAlive(run))) continue;
    await clearRun(path.join(scratchFolder(), name));
  }
}
