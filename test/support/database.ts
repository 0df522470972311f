import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { Client } from 'pg';
import { startEmbeddedPostgres } from '../../src/embedded/postgres';
import { makeRunFolder, presentRun, TEST_PASSWORD, TEST_ROLE_PASSWORD, TEST_ROLE_PREFIX } from './run';

/** A migrated database for the tests of one spec file. */
export interface TestDatabase {
  name: string;
  /** As the superuser that owns everything and that no row security holds back. */
  ownerUrl: string;
  rolePrefix: string;
  /** Of the login roles `<rolePrefix>_app`, `<rolePrefix>_batch` and `<rolePrefix>_system`. */
  appPassword: string;
  /** As one of the login roles. */
  roleUrl(role: 'app' | 'batch' | 'system'): string;
  /** A new connection as the owner; the caller ends it. */
  owner(): Promise<Client>;
  /** Removes the database and cuts the connections to it. */
  drop(): Promise<void>;
}

/** A PostgreSQL server of the test's own, safe against kill -9 as a person's is. */
export interface OwnPostgres {
  /** Superuser, database `postgres`; stays the same through `restart`. */
  url: string;
  dataDir: string;
  /** Of the postmaster at the moment. */
  pid(): number;
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
  /** Stops it in this way (`fast` unless told otherwise) unless that is done, and starts it on the same port. */
  restart(mode?: 'fast' | 'immediate'): Promise<void>;
}

let present: Promise<TestDatabase> | undefined;

/** Addresses of the clones of the template, which are migrated. */
const clones = new Set<string>();

/** Whether the database at the owner's address is a clone of the template, made by this spec file. */
export const isMigratedClone = (ownerUrl: string): boolean => clones.has(ownerUrl);

/**
 * The database of this spec file: a clone of the migrated template, made at the first call, so that nothing of another
 * spec file is in it, not even the place of a sequence. Later calls of the same file give the same one.
 */
export function workerDatabase(): Promise<TestDatabase> {
  present ??= newWorkerDatabase();
  return present;
}

/** A new clone, for tests that kill connections, change roles or count what the whole database holds. */
export async function freshDatabase(): Promise<TestDatabase> {
  const name = `fresh_${process.env.JEST_WORKER_ID}_${randomBytes(4).toString('hex')}`;
  await withServer((client) => clone(client, name));
  return describeDatabase(name);
}

/** Starts a server of the test's own on the run's tmpfs: empty, without the migrations. */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  const folder = path.join(presentRun(), `own-${process.env.JEST_WORKER_ID}-${randomBytes(4).toString('hex')}`);
  const dataDir = path.join(makeRunFolder(folder), 'data');
  const start = (port: number) => startEmbeddedPostgres({ dataDir, port, password: TEST_PASSWORD, durability: 'full' });
  let server = await start(0);
  const { url, port } = server;
  return {
    url,
    dataDir,
    pid: () => server.pid,
    stop: (mode) => server.stop(mode),
    restart: async (mode) => {
      await server.stop(mode);
      server = await start(port);
    },
  };
}

async function newWorkerDatabase(): Promise<TestDatabase> {
  const prefix = `spec_${process.env.JEST_WORKER_ID}_`;
  const name = `${prefix}${randomBytes(4).toString('hex')}`;
  await withServer(async (client) => {
    await dropForgotten(client, prefix);
    await clone(client, name);
  });
  return describeDatabase(name);
}

/** Databases of this worker's earlier spec files; one that something is still connected to waits for the next time. */
async function dropForgotten(client: Client, prefix: string): Promise<void> {
  const { rows } = await client.query<{ datname: string }>(
    `select datname from pg_database d where starts_with(datname, $1)
        and not exists (select from pg_stat_activity a where a.datname = d.datname)`,
    [prefix],
  );
  for (const { datname } of rows) await client.query(`drop database if exists "${datname}"`);
}

async function clone(client: Client, name: string): Promise<void> {
  const template = process.env.TEST_TEMPLATE;
  await client.query(`create database "${name}" template "${template}" strategy file_copy`);
}

function describeDatabase(name: string): TestDatabase {
  const ownerUrl = urlOf(name);
  clones.add(ownerUrl);
  return {
    name,
    ownerUrl,
    rolePrefix: TEST_ROLE_PREFIX,
    appPassword: TEST_ROLE_PASSWORD,
    roleUrl: (role) => urlOf(name, `${TEST_ROLE_PREFIX}_${role}`),
    owner: async () => {
      const client = new Client({ connectionString: ownerUrl });
      await client.connect();
      return client;
    },
    drop: () => withServer((client) => client.query(`drop database if exists "${name}" with (force)`)).then(() => {}),
  };
}

function urlOf(database: string, user?: string): string {
  const url = new URL(serverUrl());
  url.pathname = `/${database}`;
  if (user) [url.username, url.password] = [user, TEST_ROLE_PASSWORD];
  return url.href;
}

function serverUrl(): string {
  const url = process.env.TEST_POSTGRES_URL;
  if (!url) throw new Error('TEST_POSTGRES_URL is not set: the tests run through Jest, whose global setup makes it');
  return url;
}

async function withServer<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: serverUrl() });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
