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
import { fillHistory, type History } from './fill';
import { LIST_SCENARIOS, type ListScenario } from './scenarios';

/** How many messages the two histories have, and how often each request is made. */
export interface ListsPlan {
  reference: number;
  messages: number;
  rounds: number;
}

export interface ListFigures {
  scenario: ListScenario;
  /** Medians, as the client sees them. */
  referenceMs: number;
  ms: number;
  /** Of each round the one to the other; the median of these. */
  ratio: number;
  /** Rows of its page in the long history. */
  rows: number;
}

const WARM_UP = 3;

interface Side {
  history: History;
  service: Server;
  authorization: string;
}

/** The same requests to a short history and to a long one, in turns: each has its own database, both one PostgreSQL. */
export async function measureLists(cleanup: Cleanup, plan: ListsPlan): Promise<ListFigures[]> {
  const folder = makeFolderOnDisk();
  cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
  const dataDir = path.join(folder, 'postgres');
  const password = randomBytes(16).toString('hex');
  const postgres = await startEmbeddedPostgres({ dataDir, password, durability: 'full' });
  cleanup.add(() => postgres.stop());
  const start = (name: string, messages: number) => startSide(cleanup, { folder, url: postgres.url, name, messages });
  const reference = await start('reference', plan.reference);
  const long = await start('long', plan.messages);
  const figures: ListFigures[] = [];
  for (const scenario of LIST_SCENARIOS)
    figures.push(await compare(scenario, { reference, long, rounds: plan.rounds }));
  return figures;
}

async function startSide(
  cleanup: Cleanup,
  { folder, url, name, messages }: { folder: string; url: string; name: string; messages: number },
): Promise<Side> {
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
    const history = await fillHistory(owner, messages);
    return { history, service, authorization: await signIn(service.port, history) };
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

async function compare(
  scenario: ListScenario,
  { reference, long, rounds }: { reference: Side; long: Side; rounds: number },
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
  return { scenario, referenceMs: median(times.reference), ms: median(times.long), ratio, rows };
}

async function ask({ service, history, authorization }: Side, { path: pathOf }: ListScenario) {
  const begun = performance.now();
  const answer = await fetch(`http://127.0.0.1:${service.port}${pathOf(history)}`, { headers: { authorization } });
  const body: unknown = await answer.json();
  if (answer.status !== 200) throw new Error(`${pathOf(history)} gave ${answer.status} ${JSON.stringify(body)}`);
  return { ms: performance.now() - begun, rows: Array.isArray(body) ? body.length : 1 };
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
