import { randomInt } from 'node:crypto';
import { readFile, realpath, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedError } from './embedded.error';
import { type Cluster, type Durability, logTail, runProgram, withHint } from './postgres-cluster';
import { commandLine, isAlive, isRunning } from './processes';

/** A process that postmaster.pid names; `ours`: it is the server of this data directory; undefined: not to be told. */
export interface ListedServer {
  pid: number;
  port: number;
  ours: boolean | undefined;
}

/** What became of an attempt to start: `retry` when another process or the remains of a killed server stood in the way. */
export type StartOutcome = 'started' | 'port-taken' | 'retry';

const COMMON_SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=200',
  'password_encryption=scram-sha-256',
  'timezone=UTC',
  'jit=off',
];

const SETTINGS: Record<Durability, string[]> = {
  full: COMMON_SETTINGS,
  none: [
    ...COMMON_SETTINGS,
    'fsync=off',
    'synchronous_commit=off',
    'full_page_writes=off',
    'wal_level=minimal',
    'max_wal_senders=0',
    'autovacuum=off',
    'checkpoint_timeout=1h',
    'max_wal_size=4GB',
    'io_method=sync',
    'scram_iterations=1',
    'update_process_title=off',
    'log_min_messages=warning',
  ],
};

/** What postmaster.pid says, checked against the processes that live: null when there is no such process. */
export async function listedServer(dataDir: string): Promise<ListedServer | null> {
  const lines = (await readFile(path.join(dataDir, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return null;
  return { pid, port: Number(lines[3]), ours: await isServerOf(pid, dataDir) };
}

/** A process number is given out again after a while, so an entry left by a killed server may name anything. */
async function isServerOf(pid: number, dataDir: string): Promise<boolean | undefined> {
  const command = await commandLine(pid);
  if (command === undefined) return undefined;
  const folders = [dataDir, await realpath(dataDir)];
  return folders.some(
    (folder) => /(?:^|[\\/])postgres(?:\.exe)? -D /.test(command) && `${command} `.includes(` -D ${folder} `),
  );
}

/**
 * Removes a postmaster.pid whose number now belongs to something else: PostgreSQL itself would refuse to start. Its
 * shared memory block still guards against children that outlived the server.
 */
export async function forgetListed(dataDir: string): Promise<void> {
  await rm(path.join(dataDir, 'postmaster.pid'), { force: true });
}

/** Starts the server through pg_ctl, in a session of its own: what the terminal sends on Ctrl-C does not reach it. */
export async function startServer(cluster: Cluster, port: number, timeoutMs: number): Promise<StartOutcome> {
  const { dataDir, binaries, durability } = cluster;
  const log = path.join(dataDir, 'server.log');
  await rename(log, `${log}.old`).catch(() => undefined); // so that it does not grow for ever
  const settings = [...SETTINGS[durability], `port=${port}`].map((setting) => `-c ${setting}`).join(' ');
  const seconds = String(Math.max(1, Math.ceil(timeoutMs / 1000)));
  const { ok, output } = await runProgram(cluster, binaries.pgCtl, [
    ...['-D', dataDir, '-w', '-t', seconds, '-l', log, '-o', settings, 'start'],
  ]);
  if (ok) return 'started';
  const why = `${output}\n${await logTail(dataDir)}`;
  if (/could not bind|Address already in use/i.test(why)) return 'port-taken';
  if (/lock file ".*" already exists|shared memory block .* still in use|did not start in time/.test(why))
    return 'retry';
  throw new EmbeddedError('failed', `PostgreSQL in ${dataDir} does not start: ${withHint(why)}`);
}

/**
 * Ends the server of this data directory if one runs: `fast` ends its sessions and writes everything out, `immediate`
 * leaves the recovery to the next start. Does nothing when none runs, or when the entry names a foreign process.
 */
export async function stopServer(
  cluster: Pick<Cluster, 'dataDir' | 'account' | 'binaries'>,
  mode: 'fast' | 'immediate',
): Promise<void> {
  const listed = await listedServer(cluster.dataDir);
  if (!listed || listed.ours === false) return;
  const stop = (how: string) =>
    runProgram(cluster, cluster.binaries.pgCtl, ['-D', cluster.dataDir, '-w', '-t', '20', '-m', how, 'stop']);
  const { ok, output } = (await stop(mode)).ok ? { ok: true, output: '' } : await stop('immediate');
  // pg_ctl waits for the entry only, which the server removes shortly before its end.
  while (ok && (await isRunning(listed.pid))) await sleep(5);
  if (!ok && (await listedServer(cluster.dataDir))?.pid === listed.pid) {
    throw new EmbeddedError('failed', `PostgreSQL (process ${listed.pid}) does not stop: ${output}`);
  }
}

/** The port of the server's last run, from the options that PostgreSQL keeps; undefined before the first. */
export async function lastPort(dataDir: string): Promise<number | undefined> {
  const options = await readFile(path.join(dataDir, 'postmaster.opts'), 'utf8').catch(() => '');
  const port = /"port=(\d+)"/.exec(options)?.[1];
  return port === undefined ? undefined : Number(port);
}

/** A TCP port of the loopback address that is free at the moment: the preferred one if it is. */
export async function freePort(preferred?: number): Promise<number> {
  const free = await tryListen(preferred ?? randomInt(LOWEST_PORT, HIGHEST_PORT));
  return free ?? (await freePort());
}

/** Below the ports that systems give to outgoing connections: one of these may take such a port before its owner listens. */
const [LOWEST_PORT, HIGHEST_PORT] = [10_240, 32_768];

function tryListen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(undefined));
    probe.listen(port, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
}
