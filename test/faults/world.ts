import { randomBytes } from 'node:crypto';
import os from 'node:os';
import { Client } from 'pg';
import { freePort } from '../../src/embedded/postgres-server';
import type { FaultChange } from '../../src/simulator/faults';
import { startSimulator, type SimulatorOptions } from '../../src/simulator/simulator';
import { createAccount } from '../support/accounts';
import { freshDatabase, type OwnPostgres, startOwnPostgres } from '../support/database';
import { HttpClient } from '../support/http-client';
import { TEST_ENCRYPTION_KEY, TEST_ROLE_PREFIX } from '../support/run';
import { eventually } from '../support/wait';
import { createSession, reaches, type Send, type WireSession } from '../support/whatsapp';
import { builtService, compileCache } from './service-build';
import { ServiceProcess } from './service-process';

/** What a world is made with; each has a default. */
export interface WorldOptions {
  /** How many sessions work in it; 1 unless told otherwise. */
  sessions?: number;
  /** Processes beside the service's own that do the work; then that one answers requests only. */
  workers?: number;
  /** Of each session; as fast as it can unless told otherwise. */
  pace?: object;
  engine?: SimulatorOptions['engine'];
  timing?: SimulatorOptions['timing'];
  /** Environment variables over those of the tests. */
  variables?: Record<string, string>;
  /** The PostgreSQL to work on, which the caller ends; unless told otherwise a database of the run's server. */
  postgres?: OwnPostgres;
}

/** The service as a process, and around it what survives it: PostgreSQL, WAHA and a logged-in client. */
export interface World {
  service: ServiceProcess;
  /** Those that do its work, where they are asked for. */
  workers: ServiceProcess[];
  /** WAHA's stand-in. */
  simulator: HttpClient;
  /** A TENANT_ADMIN. */
  http: HttpClient;
  /** Nobody. */
  anybody: HttpClient;
  sessions: WireSession[];
  /** Puts these faults of WAHA in force, and no others. */
  faults(change: FaultChange): Promise<void>;
  /** What reached WhatsApp, in order. */
  sends(): Promise<Send[]>;
  /** A new connection as the owner; it ends with the world. */
  owner(): Promise<Client>;
  /** Starts one more process of the service, with these variables over those of the world; it ends with the world. */
  beside(variables: Record<string, string>): Promise<ServiceProcess>;
}

/** So short that a time-out costs little, and far above every latency that the tests ask for. */
const WAHA_TIMEOUT_MS = 1_500;
/** The simulator does what it was told at once, unless the machine has much more to do than it can. */
const WAHA_LATE_MS = 2_000;

/** Production takes no sample values. */
const SECRETS = {
  JWT_SECRET: randomBytes(32).toString('hex'),
  DATA_ENCRYPTION_KEY: TEST_ENCRYPTION_KEY,
  WAHA_API_KEY: randomBytes(16).toString('hex'),
};

/** Nobody waits for WhatsApp, and yet a call's answer is here before the next state's webhook. */
const FAST = { start: 400, pair: 200, ackServer: 10, ackDevice: 30, ackRead: 60, reconnect: 50 };

type Stop = () => unknown;
const toStop: Stop[] = [];

const BUILD_TIMEOUT_MS = 180_000;
const END_TIMEOUT_MS = 60_000;

/** For the top of a spec file: the service is built before its tests, and all that a test started ends after it, whatever became of it. */
export function useWorlds(): void {
  beforeAll(async () => {
    await builtService();
  }, BUILD_TIMEOUT_MS);
  afterEach(endWorlds, END_TIMEOUT_MS);
}

/** Newest first, even if one of them cannot be ended. */
async function endWorlds(): Promise<void> {
  const failures: unknown[] = [];
  for (const stop of toStop.splice(0).reverse()) {
    try {
      await stop();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'Not everything could be ended');
}

/** Has something ended with the worlds. */
export function endWithWorlds(stop: Stop): void {
  toStop.push(stop);
}

/** Makes a world and works in it; a failure shows what the service said last. */
export async function inWorld(options: WorldOptions, work: (world: World) => Promise<void>): Promise<void> {
  const world = await startWorld(options);
  await explained(world.service, () => work(world));
}

/** Does the work; a failure shows what the service said last. */
export async function explained(service: ServiceProcess, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    // By shape: Jest's own errors are of another realm.
    const failure = error as Error;
    failure.message += `\n\nThe service said:\n${service.tail}`;
    failure.stack = `${failure.message}\n${failure.stack ?? ''}`;
    throw failure;
  }
}

async function startWorld(options: WorldOptions): Promise<World> {
  const entry = await builtService();
  const databaseUrl = options.postgres?.url ?? (await databaseOfRun());
  const simulator = await startSimulator({
    port: 0,
    apiKey: SECRETS.WAHA_API_KEY,
    engine: options.engine ?? 'NOWEB',
    timing: { ...FAST, ...options.timing },
  });
  endWithWorlds(() => simulator.close());
  const variables = {
    NODE_ENV: 'production',
    NODE_COMPILE_CACHE: compileCache(),
    LOG_LEVEL: 'warn',
    DATABASE_URL: databaseUrl,
    DATABASE_ROLE_PREFIX: TEST_ROLE_PREFIX,
    WAHA_BASE_URL: simulator.url,
    WAHA_TIMEOUT_MS: String(WAHA_TIMEOUT_MS),
    WAHA_LATE_MS: String(WAHA_LATE_MS),
    RATE_LIMIT_PER_MINUTE: '1000000',
    ...SECRETS,
    ...options.variables,
  };
  const start = (more: Record<string, string>) => startService(entry, { ...variables, ...more });
  const service = await start(options.workers === undefined ? {} : { ROLE: 'api' });
  const workers: ServiceProcess[] = [];
  const webhooks = { WAHA_WEBHOOK_URL: `${service.url}/webhooks/waha` };
  for (let nth = 0; nth < (options.workers ?? 0); nth += 1) workers.push(await start({ ROLE: 'worker', ...webhooks }));
  const pieces = { service, workers, databaseUrl, waha: new HttpClient(simulator.url), beside: start };
  return populate(pieces, options);
}

/** A process of the service, on a port of its own, ready for traffic; it ends with the world. */
async function startService(script: string, variables: Record<string, string>): Promise<ServiceProcess> {
  const PORT = String(await freePort());
  const own: Record<string, string> = variables.ROLE === 'gateway' ? { GATEWAY_PORT: PORT } : {};
  const service = new ServiceProcess({ script, folder: os.tmpdir(), variables: { ...variables, ...own, PORT } });
  endWithWorlds(() => service.kill());
  await explained(service, () => service.start());
  return service;
}

async function databaseOfRun(): Promise<string> {
  const database = await freshDatabase();
  endWithWorlds(() => database.drop());
  return database.ownerUrl;
}

/** A PostgreSQL server that a test may stop; it ends with the world. */
export async function ownPostgres(): Promise<OwnPostgres> {
  const postgres = await startOwnPostgres();
  endWithWorlds(() => postgres.stop('immediate'));
  return postgres;
}

interface Pieces {
  service: ServiceProcess;
  workers: ServiceProcess[];
  databaseUrl: string;
  waha: HttpClient;
  beside: World['beside'];
}

async function populate(
  { service, workers, databaseUrl, waha, beside }: Pieces,
  options: WorldOptions,
): Promise<World> {
  const anybody = new HttpClient(service.url);
  const owner = await ownerOf(databaseUrl);
  const { email, password } = await createAccount(owner);
  const answer = await anybody.post<{ access_token: string }>('/auth/login', { email, password });
  if (answer.status !== 200) throw new Error(`Logging in gave ${answer.outcome}`);
  const http = anybody.with({ authorization: `Bearer ${answer.body.access_token}` });
  const names = Array.from({ length: options.sessions ?? 1 }, (_, number) => `number ${number}`);
  return {
    service,
    workers,
    simulator: waha,
    http,
    anybody,
    sessions: await inTurns(names, (name) => workingSession(http, waha, name, options.pace)),
    faults: async (change) => {
      const { status, text } = await waha.call('PUT', '/simulator/faults', change);
      if (status !== 200) throw new Error(`The simulator refused the faults: ${text}`);
    },
    sends: async () => (await waha.get<Send[]>('/simulator/sends')).body,
    owner: () => ownerOf(databaseUrl),
    beside,
  };
}

/** So many at one time: more would be in each other's way. */
const AT_ONCE = 8;

async function inTurns<I, O>(items: I[], work: (item: I) => Promise<O>): Promise<O[]> {
  const done: O[] = [];
  for (let from = 0; from < items.length; from += AT_ONCE)
    done.push(...(await Promise.all(items.slice(from, from + AT_ONCE).map(work))));
  return done;
}

async function ownerOf(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString });
  client.on('error', () => undefined); // the server is restarted under it
  await client.connect();
  endWithWorlds(() => {
    client.end().catch(() => undefined); // not awaited: one whose server died has no end
  });
  return client;
}

/** Creates a session over the API, scans its code and waits until it works. */
export async function workingSession(
  http: HttpClient,
  waha: HttpClient,
  name: string,
  pace?: object,
): Promise<WireSession> {
  const { id, waha_name } = await createSession(http, name, pace);
  await reaches(http, id, 'SCAN_QR_CODE');
  await eventually(async () => (await waha.post(`/simulator/sessions/${waha_name}/scan`, {})).status < 300);
  return reaches(http, id, 'WORKING');
}
