import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { startEmbeddedPostgres } from '../../../src/embedded/postgres';
import { newId } from '../../../src/common/ids';
import type { Cleanup } from '../cleanup';
import { makeFolderOnDisk } from '../machine';
import { type Server, startService } from '../programs';
import { signIn } from '../queue/messages';
import type { ListScenario } from './scenarios';

/** Whoever asks for the lists. */
interface Asker {
  email: string;
  password: string;
}

/** Of what the lists are, and what is asked. */
interface Subject<S extends Asker> {
  /** Fills an empty, migrated database with so many rows. */
  fill: (owner: Client, rows: number) => Promise<S>;
  scenarios: readonly ListScenario<S>[];
}

/** How many rows the short and the long one have, and how often each request is made. */
export interface ListsPlan {
  reference: number;
  rows: number;
  rounds: number;
}

export interface ListFigures {
  title: string;
  indexed: boolean;
  /** Medians, as the client sees them. */
  referenceMs: number;
  ms: number;
  /** Of each round the one to the other; the median of these. */
  ratio: number;
  /** Rows of its page in the long one. */
  rows: number;
}

const WARM_UP = 3;

interface Side<S> {
  subject: S;
  service: Server;
  authorization: string;
}

/** The same requests to a short one and to a long one, in turns: each has its own database, both one PostgreSQL. */
export async function measureLists<S extends Asker>(
  cleanup: Cleanup,
  { fill, scenarios }: Subject<S>,
  plan: ListsPlan,
): Promise<ListFigures[]> {
  const folder = makeFolderOnDisk();
  cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
  const dataDir = path.join(folder, 'postgres');
  const password = randomBytes(16).toString('hex');
  const postgres = await startEmbeddedPostgres({ dataDir, password, durability: 'full' });
  cleanup.add(() => postgres.stop());
  const start = (name: string, rows: number) =>
    startSide(cleanup, { folder, url: postgres.url, name, fill: (owner) => fill(owner, rows) });
  const reference = await start('reference', plan.reference);
  const long = await start('long', plan.rows);
  const figures: ListFigures[] = [];
  for (const scenario of scenarios) figures.push(await compare(scenario, { reference, long, rounds: plan.rounds }));
  return figures;
}

async function startSide<S extends Asker>(
  cleanup: Cleanup,
  { folder, url, name, fill }: { folder: string; url: string; name: string; fill: (owner: Client) => Promise<S> },
): Promise<Side<S>> {
  const admin = new Client({ connectionString: url });
  await admin.connect();
  await admin.query(`create database ${name}`);
  await admin.end();
  const database = new URL(url);
  database.pathname = `/${name}`;
  const logs = path.join(folder, name);
  mkdirSync(logs);
  const service = await startService(variablesOf(database.href, name), path.join(logs, 'log'));
  cleanup.add(() => service.stop());
  const owner = new Client({ connectionString: database.href });
  await owner.connect();
  try {
    const subject = await fill(owner);
    return { subject, service, authorization: await signIn(service.port, subject) };
  } finally {
    await owner.end();
  }
}

/** A process of role api: nothing is sent and nothing folded meanwhile. The roles of one server must not meet. */
const variablesOf = (databaseUrl: string, name: string): Record<string, string> => ({
  ...{ NODE_ENV: 'production', ROLE: 'api', DATABASE_URL: databaseUrl, DATABASE_ROLE_PREFIX: `lists_${name}` },
  ...{ DATA_ENCRYPTION_KEY: randomBytes(32).toString('base64'), JWT_SECRET: randomBytes(32).toString('hex') },
  ...{ WAHA_BASE_URL: 'http://127.0.0.1:9', WAHA_API_KEY: newId(), RATE_LIMIT_PER_MINUTE: '1000000' },
});

async function compare<S>(
  scenario: ListScenario<S>,
  { reference, long, rounds }: { reference: Side<S>; long: Side<S>; rounds: number },
): Promise<ListFigures> {
  const times = { reference: [] as number[], long: [] as number[] };
  let rows = 0;
  for (let round = -WARM_UP; round < rounds; round += 1) {
    const first = await ask(reference, scenario);
    const second = await ask(long, scenario);
    rows = second.rows;
    if (round < 0) continue;
    times.reference.push(first.ms);
    times.long.push(second.ms);
  }
  const ratio = median(times.long.map((ms, round) => ms / (times.reference[round] ?? NaN)));
  const { title, indexed } = scenario;
  return { title, indexed, referenceMs: median(times.reference), ms: median(times.long), ratio, rows };
}

async function ask<S>({ service, subject, authorization }: Side<S>, { path: pathOf }: ListScenario<S>) {
  const begun = performance.now();
  const answer = await fetch(`http://127.0.0.1:${service.port}${pathOf(subject)}`, { headers: { authorization } });
  const body: unknown = await answer.json();
  if (answer.status !== 200) throw new Error(`${pathOf(subject)} gave ${answer.status} ${JSON.stringify(body)}`);
  return { ms: performance.now() - begun, rows: Array.isArray(body) ? body.length : 1 };
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
