import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { startEmbeddedPostgres } from '../../../src/embedded/postgres';
import { freePort } from '../../../src/embedded/postgres-server';
import { announceRedis, redisProgram } from '../../support/redis-program';
import { startService } from '../programs';
import { addSessions, signIn } from '../queue/messages';
import type { Ground, Running } from './ground';
import { startNative, versionOf } from './native';
import { LIMITED_PATHS, ROUTE } from './requests';

const ROUTES = 1_000;
/** Far above what is sent: the limits are counted, and never reached. */
const PER_MINUTE = 1_000_000;
const AT_ONCE = 8;

/** What all processes of Switchboard stand on. */
interface Base {
  variables: Record<string, string>;
  helpers: number[];
  tenantId: string;
  key: string;
  version: string;
}

const bases = new WeakMap<Ground, Promise<Base>>();

/** A process of role gateway: with its access log, or without one, as all the others are. */
export async function startSwitchboard(ground: Ground, log: keyof typeof LIMITED_PATHS): Promise<Running> {
  const made = bases.get(ground) ?? prepare(ground);
  bases.set(ground, made);
  const { variables, helpers, tenantId, key, version } = await made;
  const level = log === 'logging' ? 'info' : 'warn';
  const logFile = path.join(ground.folder, 'switchboard', log);
  const gateway = await startService({ ...variables, ROLE: 'gateway', LOG_LEVEL: level }, logFile);
  ground.cleanup.add(() => gateway.stop());
  return {
    ...{ port: gateway.port, pids: [gateway.pid], helpers, version },
    ...{ headers: { 'x-api-key': key }, tenantId, limitedPath: LIMITED_PATHS[log] },
  };
}

/** Starts PostgreSQL and Redis, and makes a tenant, its key and its 1,000 routes through the API of a process of role api. */
async function prepare(ground: Ground): Promise<Base> {
  const { cleanup } = ground;
  const folder = path.join(ground.folder, 'switchboard');
  mkdirSync(folder);
  const dataDir = path.join(ground.folder, 'postgres');
  const password = randomBytes(16).toString('hex');
  const postgres = await startEmbeddedPostgres({ dataDir, password, durability: 'full' });
  cleanup.add(() => postgres.stop());
  const redis = await startRedis(ground);
  const variables = production(postgres.url, redis.url);
  const api = await startService({ ...variables, ROLE: 'api' }, path.join(folder, 'api'));
  cleanup.add(() => api.stop());
  const { tenantId, key } = await seed(postgres.url, api.port, ground);
  await api.stop();
  const version = `${ownVersion()}; Redis ${redis.version}`;
  return { variables, helpers: [postgres.pid, redis.pid], tenantId, key, version };
}

async function startRedis({ cleanup, folder }: Ground): Promise<{ url: string; pid: number; version: string }> {
  await announceRedis();
  const program = redisProgram();
  const port = await freePort();
  const command = [program, '--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  const pid = await startNative(cleanup, command, { port, logFile: path.join(folder, 'redis.log') });
  return { url: `redis://127.0.0.1:${port}`, pid, version: await versionOf(program, '--version') };
}

/** As in production; the upstream stands on this machine, which a tenant's may not unless the platform says so. */
const production = (databaseUrl: string, redisUrl: string): Record<string, string> => ({
  ...{ NODE_ENV: 'production', DATABASE_URL: databaseUrl, REDIS_URL: redisUrl },
  ...{ DATA_ENCRYPTION_KEY: randomBytes(32).toString('base64'), JWT_SECRET: randomBytes(32).toString('hex') },
  ...{ WAHA_BASE_URL: 'http://127.0.0.1:9', WAHA_API_KEY: randomBytes(16).toString('hex') },
  GATEWAY_ALLOWED_CIDRS: '127.0.0.0/8',
});

async function seed(databaseUrl: string, apiPort: number, ground: Ground): Promise<{ tenantId: string; key: string }> {
  const owner = new Client({ connectionString: databaseUrl });
  await owner.connect();
  try {
    const sender = await addSessions(owner, 0);
    const authorization = await signIn(apiPort, sender);
    const call = caller(apiPort, authorization);
    const bounds = { requests_per_minute: PER_MINUTE };
    const { key } = await call<{ key: string }>('/api-keys', { name: 'bench', role: 'TENANT_ADMIN', ...bounds });
    await makeRoutes((body) => call('/gateway/routes', body), ground);
    await owner.query('analyze');
    return { tenantId: sender.tenantId, key };
  } finally {
    await owner.end();
  }
}

const caller =
  (port: number, authorization: string) =>
  async <T>(target: string, body: object): Promise<T> => {
    const answer = await fetch(`http://127.0.0.1:${port}${target}`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json', authorization } },
      body: JSON.stringify(body),
    });
    if (answer.status !== 201) throw new Error(`POST ${target}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  };

/** All balance over the two ports of the upstream, two to one; one more is for trying that limits are on. */
async function makeRoutes(make: (body: object) => Promise<unknown>, { upstream }: Ground): Promise<void> {
  const [heavy, light] = upstream.ports.map((port) => `http://127.0.0.1:${port}`);
  const upstreams = [
    { url: heavy, weight: 2 },
    { url: light, weight: 1 },
  ];
  const base = { path_type: 'prefix', strategy: 'weighted', upstreams };
  const paths = Array.from({ length: ROUTES }, (_, nth) => `/bench-${String(nth).padStart(4, '0')}`);
  if (!paths.includes(ROUTE)) throw new Error(`The measured route ${ROUTE} is not among those that are made`);
  while (paths.length > 0) {
    const some = paths.splice(0, AT_ONCE);
    await Promise.all(some.map((each) => make({ ...base, path: each, rate_limit_per_minute: PER_MINUTE })));
  }
  for (const each of Object.values(LIMITED_PATHS)) await make({ ...base, path: each, rate_limit_per_minute: 1 });
}

function ownVersion(): string {
  const file = path.resolve(__dirname, '../../../package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
