import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { startEmbeddedPostgres } from '../../src/embedded/postgres';
import { makeFolderOnDisk } from './machine';
import { Program, type Server, startService } from './programs';
import { type Customers, seed } from './seed';

/** Connections of each pool: what the service uses unless it is told otherwise. */
export const POOL_MAX = 10;

/** Everything that is measured, running. */
export interface Bed {
  folder: string;
  postgres: { pid: number; version: string };
  service: Server;
  reference: Server;
  generator: Program;
  customers: Customers;
  stop(): Promise<void>;
}

type Stop = () => unknown;

/** Starts PostgreSQL, the compiled service, the reference and the load generator; `stop` leaves nothing of them. */
export async function makeBed(): Promise<Bed> {
  const stops: Stop[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    return { ...(await start((end) => stops.push(end))), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(onStop: (end: Stop) => void): Promise<Omit<Bed, 'stop'>> {
  const folder = makeFolderOnDisk();
  onStop(() => rmSync(folder, { recursive: true, force: true }));
  const dataDir = path.join(folder, 'postgres');
  const password = randomBytes(16).toString('hex');
  const postgres = await startEmbeddedPostgres({ dataDir, password, durability: 'full' });
  onStop(() => postgres.stop());
  const encryptionKey = randomBytes(32).toString('base64');
  const logs = path.join(folder, 'service');
  mkdirSync(logs);
  const service = await startService(production(postgres.url, encryptionKey), path.join(logs, 'log'));
  onStop(() => service.stop());
  const customers = await seed(postgres.url, encryptionKey);
  const { program, ...reference } = await startReference(postgres.url, customers);
  onStop(() => program.stop());
  const generator = Program.start('load-generator.mjs');
  onStop(() => generator.stop());
  const version = await versionOf(postgres.url);
  return { folder, postgres: { pid: postgres.pid, version }, service, reference, generator, customers };
}

/** A process of role api: it accepts, and workers elsewhere send and apply. The access log is on, as it is by default. */
const production = (databaseUrl: string, encryptionKey: string): Record<string, string> => ({
  NODE_ENV: 'production',
  ROLE: 'api',
  DATABASE_URL: databaseUrl,
  DATABASE_POOL_MAX: String(POOL_MAX),
  DATA_ENCRYPTION_KEY: encryptionKey,
  JWT_SECRET: randomBytes(32).toString('hex'),
  WAHA_BASE_URL: 'http://127.0.0.1:9',
  WAHA_API_KEY: randomBytes(16).toString('hex'),
});

async function startReference(databaseUrl: string, customers: Customers): Promise<Server & { program: Program }> {
  const program = Program.start('reference-server.mjs');
  const { port } = await program.ask<{ port: number }>({ databaseUrl, poolMax: POOL_MAX, ...customers });
  return { program, pid: program.pid, port, stop: () => program.stop() };
}

async function versionOf(url: string): Promise<string> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ server_version: string }>('show server_version');
  await client.end();
  return rows[0]?.server_version ?? 'unknown';
}
