import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { startEmbeddedPostgres } from '../../src/embedded/postgres';
import type { Cleanup } from './cleanup';
import { makeFolderOnDisk } from './machine';
import { Program, type Server, startService } from './programs';
import { type Identities, identitiesOf } from './identities';
import { type Customers, seed } from './seed';

/** Connections of each pool: what the service uses unless it is told otherwise. */
export const POOL_MAX = 10;

const WITHOUT_AUDIT = path.join(__dirname, 'without-audit.cjs');

/** Everything that is measured, running. */
export interface Bed {
  folder: string;
  postgres: { pid: number; version: string };
  service: Server;
  reference: Server;
  /** The same service, but that it records nothing. */
  unaudited: Server;
  generator: Program;
  customers: Customers;
  identities: Identities;
}

/** Starts PostgreSQL, the compiled service, the reference and the load generator; the cleanup leaves nothing of them. */
export async function makeBed(cleanup: Cleanup): Promise<Bed> {
  const folder = makeFolderOnDisk();
  cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
  const dataDir = path.join(folder, 'postgres');
  const password = randomBytes(16).toString('hex');
  const postgres = await startEmbeddedPostgres({ dataDir, password, durability: 'full' });
  cleanup.add(() => postgres.stop());
  const encryptionKey = randomBytes(32).toString('base64');
  const logs = path.join(folder, 'service');
  mkdirSync(logs);
  const variables = production(postgres.url, encryptionKey);
  const service = await startService(variables, path.join(logs, 'log'));
  cleanup.add(() => service.stop());
  const unaudited = await startService(variables, path.join(logs, 'unaudited'), [WITHOUT_AUDIT]);
  cleanup.add(() => unaudited.stop());
  const customers = await seed(postgres.url, encryptionKey);
  const identities = await identitiesOf(service, customers);
  const { program, ...reference } = await startReference(postgres.url, customers, identities);
  cleanup.add(() => program.stop());
  const generator = Program.start('load-generator.mjs');
  cleanup.add(() => generator.stop());
  const version = await versionOf(postgres.url);
  const servers = { service, reference, unaudited };
  return { folder, postgres: { pid: postgres.pid, version }, ...servers, generator, customers, identities };
}

/** A process of role api: it accepts, and workers elsewhere send and apply. The access log is on, as it is by default. */
const production = (databaseUrl: string, encryptionKey: string): Record<string, string> => ({
  NODE_ENV: 'production',
  ROLE: 'api',
  DATABASE_URL: databaseUrl,
  DATABASE_POOL_MAX: String(POOL_MAX),
  DATA_ENCRYPTION_KEY: encryptionKey,
  JWT_SECRET: randomBytes(32).toString('hex'),
  AUTH_RATE_LIMIT_PER_MINUTE: '1000',
  WAHA_BASE_URL: 'http://127.0.0.1:9',
  WAHA_API_KEY: randomBytes(16).toString('hex'),
});

async function startReference(
  databaseUrl: string,
  customers: Customers,
  { profiles }: Identities,
): Promise<Server & { program: Program }> {
  const program = Program.start('reference-server.mjs');
  const { port } = await program.ask<{ port: number }>({ databaseUrl, poolMax: POOL_MAX, profiles, ...customers });
  return { program, pid: program.pid, port, stop: () => program.stop() };
}

async function versionOf(url: string): Promise<string> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ server_version: string }>('show server_version');
  await client.end();
  return rows[0]?.server_version ?? 'unknown';
}
