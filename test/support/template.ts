import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { EmbeddedError } from '../../src/embedded/embedded.error';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/embedded/postgres';
import { migrate } from '../../src/platform/database/migrate';
import {
  clearRun,
  makeRunFolder,
  rootFolder,
  runFolder,
  sweepDeadRuns,
  TEST_PASSWORD,
  TEST_ROLE_PASSWORD,
  TEST_ROLE_PREFIX,
} from './run';

/** What decides how the migrated database looks. */
const SCHEMA_SOURCES = ['migrations', 'src/platform/database'];

/** Below the run's folder. */
const RUN_SERVER = 'postgres';

/** KEEP_PG=1 leaves the server to the next run; it is worth it while one file is run again and again. */
const keeps = () => process.env.KEEP_PG === '1';

/** Starts the run's server, makes the template database unless it is there, and tells the workers where they are. */
export async function prepareDatabases(): Promise<void> {
  await sweepDeadRuns();
  const { folder, server } = await startRunServer();
  const template = `template_${schemaHash()}`;
  const client = new Client({ connectionString: server.url });
  await client.connect();
  try {
    await dropLeftovers(client, template);
    await makeTemplate(client, template, server.url);
  } finally {
    await client.end();
  }
  process.env.TEST_RUN_FOLDER = folder;
  process.env.TEST_POSTGRES_URL = server.url;
  process.env.TEST_TEMPLATE = template;
}

/** Ends everything that the run started, unless it is to be kept. */
export async function releaseDatabases(): Promise<void> {
  const folder = process.env.TEST_RUN_FOLDER;
  if (!folder) return;
  await clearRun(folder, { keep: folder === runFolder('kept') ? RUN_SERVER : undefined });
}

async function startRunServer(): Promise<{ folder: string; server: EmbeddedPostgres }> {
  if (keeps()) {
    try {
      return await startIn(runFolder('kept'));
    } catch (error) {
      // Another run of this checkout has it at the moment.
      if (!(error instanceof EmbeddedError && error.reason === 'in-use')) throw error;
    }
  }
  return startIn(runFolder(process.pid));
}

async function startIn(folder: string): Promise<{ folder: string; server: EmbeddedPostgres }> {
  const dataDir = path.join(makeRunFolder(path.join(folder, RUN_SERVER)), 'data');
  const server = await startEmbeddedPostgres({ dataDir, password: TEST_PASSWORD, durability: 'none' });
  return { folder, server };
}

function schemaHash(): string {
  const hash = createHash('sha256');
  for (const source of SCHEMA_SOURCES) {
    const folder = path.join(rootFolder, source);
    if (!existsSync(folder)) continue;
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
      if (!name.endsWith('.ts') || name.endsWith('.spec.ts')) continue;
      hash.update(`${name}\0`).update(readFileSync(path.join(folder, name)));
    }
  }
  return hash.digest('hex').slice(0, 12);
}

/** Databases of the kept server that earlier runs left, and templates of other migrations. */
async function dropLeftovers(client: Client, template: string): Promise<void> {
  const { rows } = await client.query<{ datname: string }>(
    `select datname from pg_database where datname ~ '^(spec|fresh|template)_' and datname <> $1`,
    [template],
  );
  for (const { datname } of rows) await client.query(`drop database "${datname}" with (force)`);
}

async function makeTemplate(client: Client, template: string, url: string): Promise<void> {
  const found = await client.query('select 1 from pg_database where datname = $1', [template]);
  if (found.rowCount) return;
  const draft = `${template}_draft`; // a run that dies while it migrates leaves no half a template
  await client.query(`drop database if exists "${draft}" with (force)`);
  await client.query(`create database "${draft}"`);
  const ownerUrl = new URL(url);
  ownerUrl.pathname = `/${draft}`;
  await migrate({ ownerUrl: ownerUrl.href, rolePrefix: TEST_ROLE_PREFIX, appPassword: TEST_ROLE_PASSWORD });
  await client.query(`alter database "${draft}" rename to "${template}"`);
}
