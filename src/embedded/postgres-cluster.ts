import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, EmbeddedError } from './embedded.error';
import { type Account, assertReachable, makeFolder, serverAccount, syncFolder } from './folders';
import { postgresBinaries, type PostgresBinaries } from './postgres-binaries';
import { isAlive } from './processes';

/** `full`: safe against power cuts, for people's data; `none`: as fast as possible, for tests on a tmpfs. */
export type Durability = 'full' | 'none';

/** A data directory and what it takes to work on it. */
export interface Cluster {
  /** Absolute path of the data directory. */
  dataDir: string;
  durability: Durability;
  /** Of the superuser `postgres`. */
  password: string;
  binaries: PostgresBinaries;
  account: Account | undefined;
  log: (line: string) => void;
}

/** How a program ended; it never throws for an exit code. */
interface Outcome {
  ok: boolean;
  output: string;
}

/** Folders of a half-done `initdb` are swept once their maker is gone, or after this time (its number may be in use again). */
const ABANDONED_AFTER_MS = 10 * 60_000;

/** Finds the programs and the account, makes the parent folder and checks that everything can be reached. */
export async function openCluster(options: Omit<Cluster, 'binaries' | 'account'>): Promise<Cluster> {
  const dataDir = path.resolve(options.dataDir);
  const binaries = await postgresBinaries();
  const account = await serverAccount(dataDir);
  await makeFolder(path.dirname(dataDir));
  await assertReachable(path.dirname(binaries.initdb), account, 'Move this checkout to another place');
  await assertReachable(path.dirname(dataDir), account, 'Choose another folder (EMBEDDED_DATA_DIR)');
  return { ...options, dataDir, binaries, account };
}

/** Runs one of PostgreSQL's programs as the cluster's account, with an environment of its own. */
export function runProgram(cluster: Pick<Cluster, 'account'>, program: string, args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = {
      ...cluster.account,
      cwd: '/',
      env: { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/local/bin:/usr/bin:/bin' },
    };
    const child = execFile(program, args, options, (error, stdout, stderr) =>
      resolve({ ok: error === null, output: `${stdout}${stderr}`.trim() || (error?.message ?? '') }),
    );
    child.stdin?.end();
  });
}

/**
 * Makes the data directory unless it is there. Built beside its place and moved there when complete, so that a process
 * killed half-way leaves no half a database, and of two that start at once one wins. Error `foreign-folder` when the
 * folder holds something else, or belongs to another account.
 */
export async function ensureInitialised(cluster: Cluster): Promise<void> {
  await sweepAbandoned(cluster.dataDir);
  if (await isInitialised(cluster)) return;
  cluster.log(`making a PostgreSQL data directory in ${cluster.dataDir}`);
  const work = `${cluster.dataDir}.new-${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    await mkdir(work, { mode: 0o700 });
    await initialise(cluster, work);
    await rmdir(cluster.dataDir).catch(() => undefined); // an empty one: not every platform renames over it
    await rename(path.join(work, 'data'), cluster.dataDir);
    if (cluster.durability === 'full') await syncFolder(path.dirname(cluster.dataDir));
  } catch (error) {
    const overtaken = ['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(codeOf(error) ?? '') && (await isInitialised(cluster));
    if (!overtaken) throw error;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function isInitialised({ dataDir, account }: Cluster): Promise<boolean> {
  let names: string[];
  try {
    names = await readdir(dataDir);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw foreignFolder(`The folder ${dataDir} cannot be read (${codeOf(error)})`, error);
  }
  if (names.length === 0) return false;
  if (!names.includes('PG_VERSION')) throw foreignFolder(`The folder ${dataDir} holds something other than PostgreSQL`);
  const { uid } = await stat(dataDir);
  const needed = account?.uid ?? process.getuid?.();
  if (needed === undefined || uid === needed) return true;
  if (account === undefined) throw foreignFolder(`The folder ${dataDir} belongs to another account (uid ${uid})`);
  await giveTo(dataDir, account); // root's own since somebody changed the owner of everything, say by a copy
  return true;
}

const foreignFolder = (what: string, cause?: unknown) =>
  new EmbeddedError(
    'foreign-folder',
    `${what}. Choose another folder (EMBEDDED_DATA_DIR), start as its owner, or move it away.`,
    cause,
  );

async function giveTo(folder: string, account: Account): Promise<void> {
  await chown(folder, account.uid, account.gid);
  for (const name of await readdir(folder, { recursive: true })) {
    await chown(path.join(folder, name), account.uid, account.gid);
  }
}

async function initialise(cluster: Cluster, work: string): Promise<void> {
  const passwordFile = path.join(work, 'password');
  await writeFile(passwordFile, `${cluster.password}\n`, { mode: 0o600 });
  if (cluster.account) {
    for (const it of [passwordFile, work]) await chown(it, cluster.account.uid, cluster.account.gid);
  }
  const args = ['-D', path.join(work, 'data'), '-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
  args.push('-E', 'UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions');
  switch (cluster.durability) {
    case 'full':
      args.push('--data-checksums');
      break;
    case 'none':
      args.push('--no-sync', '--no-data-checksums', '-c', 'scram_iterations=1');
      break;
  }
  const { ok, output } = await runProgram(cluster, cluster.binaries.initdb, args);
  if (!ok) throw new EmbeddedError('failed', `PostgreSQL's initdb failed for ${cluster.dataDir}: ${withHint(output)}`);
}

/** Adds what to do to the one failure that an installation without scripts brings. */
export function withHint(output: string): string {
  const libraryMissing = /shared librar|Library not loaded/.test(output);
  return libraryMissing ? `${output}\nReinstall the package: npm rebuild --ignore-scripts=false` : output;
}

async function sweepAbandoned(dataDir: string): Promise<void> {
  const parent = path.dirname(dataDir);
  const prefix = `${path.basename(dataDir)}.new-`;
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue;
    const folder = path.join(parent, name);
    const info = await stat(folder).catch(() => undefined);
    if (!info) continue;
    const makerLives = isAlive(Number(name.slice(prefix.length).split('-')[0]));
    if (makerLives && Date.now() - info.mtimeMs < ABANDONED_AFTER_MS) continue;
    await rm(folder, { recursive: true, force: true });
  }
}

/** The last lines of the server's log, '' when there is none. */
export async function logTail(dataDir: string): Promise<string> {
  const text = await readFile(path.join(dataDir, 'server.log'), 'utf8').catch(() => '');
  return text.trim().split('\n').slice(-15).join('\n');
}
