import { realpath } from 'node:fs/promises';
import { Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { codeOf, EmbeddedError } from './embedded.error';
import { serverAccount } from './folders';
import { postgresBinaries } from './postgres-binaries';
import { type Cluster, type Durability, ensureInitialised, logTail, openCluster } from './postgres-cluster';
import { forgetListed, freePort, lastPort, listedServer, startServer, stopServer } from './postgres-server';

/** What `startEmbeddedPostgres` is asked for. */
export interface EmbeddedPostgresOptions {
  /** Made when missing; a relative path counts from the working directory. */
  dataDir: string;
  /** 0 (the default): the port of the last run if it is free, else a free one. */
  port?: number;
  /** Of the superuser `postgres`; given to a new data directory, and must fit an existing one. */
  password: string;
  durability: Durability;
  /** Told one line per step that takes time or was unforeseen. */
  log?: (line: string) => void;
}

/** A running PostgreSQL that this process, and no other, looks after. */
export interface EmbeddedPostgres {
  /** Superuser, database `postgres`. */
  url: string;
  port: number;
  /** Of the postmaster. */
  pid: number;
  /** True when it was running already, left behind by a process that was killed. */
  adopted: boolean;
  /** Ends it (`fast` unless told otherwise); resolves when it is gone, also when it is gone already. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
}

const START_TIMEOUT_MS = 60_000;
const UNKNOWN_PROCESS_TIMEOUT_MS = 5_000;
const OWNER_GONE_TIMEOUT_MS = 2_000;
const POLL_MS = 50;

/** Session lock (in the database `postgres`) of the process that looks after the server: gone the moment that process is. */
const OWNER_LOCK = 7_305_201_413;

/**
 * Starts PostgreSQL on this data directory, or adopts the server left running on it by a process that was killed.
 * It listens on 127.0.0.1 only and asks everybody for a password (scram-sha-256). Works as root too: the server then
 * runs as an unprivileged account.
 *
 * Fails with `EmbeddedError`: `no-binaries`, `unreachable`, `foreign-folder`, `in-use` (another living process looks
 * after it), `wrong-password`, `port-taken` or `failed`; a server that it started itself is ended before.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { dataDir, durability, password, port = 0, log = () => undefined } = options;
  const cluster = await openCluster({ dataDir, durability, password, log });
  await ensureInitialised(cluster);
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const orphan = await adopt(cluster, deadline);
    if (orphan && (port === 0 || port === orphan.port)) return orphan;
    await orphan?.stop(); // it listens elsewhere
    const started = await startNew(cluster, port, deadline);
    if (started) return started;
    await sleep(POLL_MS);
  }
  throw new EmbeddedError(
    'failed',
    `PostgreSQL in ${cluster.dataDir} is not ready after ${START_TIMEOUT_MS / 1000} s: ${await logTail(cluster.dataDir)}`,
  );
}

/** Ends the server that runs on this data directory, whoever started it; does nothing when none runs. */
export async function stopEmbeddedPostgres(dataDir: string, mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
  const absolute = path.resolve(dataDir);
  const account = await serverAccount(absolute);
  await stopServer({ dataDir: absolute, account, binaries: await postgresBinaries() }, mode);
}

async function startNew(cluster: Cluster, wanted: number, deadline: number): Promise<EmbeddedPostgres | null> {
  const port = wanted || (await freePort(await lastPort(cluster.dataDir)));
  const outcome = await startServer(cluster, port, deadline - Date.now());
  switch (outcome) {
    case 'retry':
      return null;
    case 'port-taken':
      if (!wanted) return null; // somebody took the free port in between
      throw new EmbeddedError('port-taken', `The port ${wanted} for PostgreSQL is taken: free it or choose another.`);
    case 'started':
      break;
  }
  const listed = await listedServer(cluster.dataDir);
  if (!listed) return null;
  try {
    return await takeOver(cluster, listed, false);
  } catch (error) {
    // Of two processes that start at once, the one that comes second must leave the server to the first.
    if (!(error instanceof EmbeddedError && error.reason === 'in-use')) await stopServer(cluster, 'fast');
    throw error;
  }
}

/** The server that runs already, once it answers; null when none does, and then a stale postmaster.pid is gone. */
async function adopt(cluster: Cluster, deadline: number): Promise<EmbeddedPostgres | null> {
  const since = Date.now();
  while (Date.now() < deadline) {
    const listed = await listedServer(cluster.dataDir);
    if (!listed) return null;
    // Where the platform does not tell what the process is: a server listens at once, also while it recovers.
    const ours = listed.ours ?? (Date.now() - since < UNKNOWN_PROCESS_TIMEOUT_MS ? undefined : false);
    if (ours === false) {
      cluster.log(`process ${listed.pid} is not the PostgreSQL of ${cluster.dataDir}: its stale entry is removed`);
      await forgetListed(cluster.dataDir);
      return null;
    }
    try {
      return await takeOver(cluster, listed, true);
    } catch (error) {
      if (!isNotReady(error)) throw error; // else it starts, recovers or shuts down
    }
    await sleep(POLL_MS);
  }
  return null;
}

/** Connection refused or cut, or PostgreSQL says that it is starting up or shutting down (57P01, 57P03). */
function isNotReady(error: unknown): boolean {
  if (error instanceof EmbeddedError) return false;
  const code = codeOf(error);
  return code === undefined || /^(E[A-Z]+|57P0[0-9])$/.test(code);
}

/** Becomes the one process that looks after this server: holds the owner's lock as long as it lives. */
async function takeOver(
  cluster: Cluster,
  server: { pid: number; port: number },
  adopted: boolean,
): Promise<EmbeddedPostgres> {
  const { port, pid } = server;
  const socket = new Socket();
  const holder = await connect(cluster, port, socket);
  try {
    await assertSameFolder(holder, cluster.dataDir);
    await takeOwnership(holder, cluster);
  } catch (error) {
    await holder.end().catch(() => undefined);
    throw error;
  }
  socket.unref(); // a lock must not keep the process from ending
  cluster.log(`PostgreSQL ${adopted ? 'was running already' : 'runs'} on port ${port} (process ${pid})`);
  const url = `postgres://postgres:${encodeURIComponent(cluster.password)}@127.0.0.1:${port}/postgres`;
  const stop = async (mode: 'fast' | 'immediate' = 'fast') => {
    socket.ref();
    await holder.end().catch(() => undefined);
    await stopServer(cluster, mode);
  };
  return { url, port, pid, adopted, stop };
}

async function connect({ password, dataDir }: Cluster, port: number, socket: Socket): Promise<Client> {
  const client = new Client({
    ...{ host: '127.0.0.1', port, user: 'postgres', password, database: 'postgres' },
    application_name: 'switchboard embedded',
    connectionTimeoutMillis: 5_000,
    stream: () => socket,
  });
  client.on('error', () => undefined); // the server ended: whoever works with it learns that by its own connections
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    if (codeOf(error) !== '28P01') throw error;
    throw new EmbeddedError(
      'wrong-password',
      `The password does not fit PostgreSQL in ${dataDir}, which was made with another one. Restore the secrets that ` +
        'belong to this folder, choose another one (EMBEDDED_DATA_DIR), or delete it to start anew without its data.',
      error,
    );
  }
}

/** A recycled process number may belong to another PostgreSQL, and its port may be another's by now. */
async function assertSameFolder(client: Client, dataDir: string): Promise<void> {
  const { rows } = await client.query<{ data_directory: string }>('show data_directory');
  const actual = rows[0]?.data_directory ?? '';
  if ((await realpath(actual).catch(() => actual)) !== (await realpath(dataDir))) {
    throw new EmbeddedError('failed', `On the port of PostgreSQL in ${dataDir} answers the server of ${actual}`);
  }
}

/** Waits a little for the session of a killed owner to end: PostgreSQL notices within moments. */
async function takeOwnership(client: Client, { dataDir }: Cluster): Promise<void> {
  const deadline = Date.now() + OWNER_GONE_TIMEOUT_MS;
  for (;;) {
    const { rows } = await client.query<{ held: boolean }>('select pg_try_advisory_lock($1) held', [OWNER_LOCK]);
    if (rows[0]?.held) return;
    if (Date.now() > deadline) break;
    await sleep(POLL_MS);
  }
  throw new EmbeddedError(
    'in-use',
    `Another running process uses the folder ${dataDir}. Stop it first, or choose another folder (EMBEDDED_DATA_DIR).`,
  );
}
