import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Client } from 'pg';
import type { TenantRole } from '../../src/common/permissions';
import { freePort } from '../../src/embedded/postgres-server';
import { Readiness } from '../../src/platform/http/readiness';
import { shutDown } from '../../src/platform/http/shutdown';
import { startSimulator, type RunningSimulator, type SimulatorOptions } from '../../src/simulator/simulator';
import { createAccount, type TestAccount } from './accounts';
import { createTestApp, TEST_SECRETS } from './app';
import { freshDatabase, type TestDatabase } from './database';
import { Factories } from './factories';
import { HttpClient } from './http-client';

/** Somebody who is logged in over HTTP. */
export interface LoggedIn extends TestAccount {
  http: HttpClient;
}

/** The whole application, listening, with a WAHA and a database of its own. */
export interface TestApp {
  url: string;
  app: NestFastifyApplication;
  db: TestDatabase;
  /** A connection as the owner, whom no row security holds back. */
  owner: Client;
  make: Factories;
  /** WAHA's stand-in as a client sees it, with the key of its API. */
  simulator: HttpClient;
  /** The tenant that `login` makes users of unless another is named. */
  tenantId: string;
  /** Calls without a credential. */
  anybody: HttpClient;
  /** Makes a user of that role and logs it in. */
  login(role: TenantRole, tenantId?: string): Promise<LoggedIn>;
  /** Ends WAHA's stand-in alone. */
  stopSimulator(): Promise<void>;
  close(): Promise<void>;
}

export interface TestAppOptions {
  /** Environment variables over those of the tests. */
  config?: Record<string, string>;
  simulator?: Partial<SimulatorOptions>;
}

/** So fast that no test waits for WhatsApp; the waits of WAHA itself stay as long as they are. */
const FAST = { start: 20, pair: 20, ackServer: 10, ackDevice: 20, ackRead: 30, reconnect: 50 };

const CLOSE_TIMEOUT_MS = 20_000;

/** Starts the application as main.ts does, and ends it so. The caller closes it. */
export async function startTestApp({ config = {}, simulator: waha = {} }: TestAppOptions = {}): Promise<TestApp> {
  const db = await freshDatabase();
  const simulator = await startSimulator({
    port: 0,
    apiKey: TEST_SECRETS.WAHA_API_KEY,
    seed: 7,
    ...waha,
    timing: { ...FAST, ...waha.timing },
  });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const app = await createTestApp({
    DATABASE_URL: db.ownerUrl,
    WAHA_BASE_URL: simulator.url,
    WAHA_WEBHOOK_URL: `${url}/webhooks/waha`,
    RATE_LIMIT_PER_MINUTE: '100000',
    AUTH_RATE_LIMIT_PER_MINUTE: '100000',
    ...config,
  });
  await app.listen(port, '127.0.0.1');
  app.get(Readiness).ready();
  const owner = await db.owner();
  owner.on('error', () => undefined);
  return describeApp({ url, app, db, owner, simulator });
}

interface Pieces {
  url: string;
  app: NestFastifyApplication;
  db: TestDatabase;
  owner: Client;
  simulator: RunningSimulator;
}

async function describeApp({ url, app, db, owner, simulator }: Pieces): Promise<TestApp> {
  const anybody = new HttpClient(url);
  const make = new Factories(owner, app);
  const ownTenant = await make.tenant();
  const login = async (role: TenantRole, tenantId = ownTenant): Promise<LoggedIn> => {
    const account = await createAccount(owner, { role, tenantId });
    const { email, password } = account;
    const answer = await anybody.post<{ access_token: string }>('/auth/login', { email, password, tenant: tenantId });
    if (answer.status !== 200) throw new Error(`Logging in gave ${answer.outcome}`);
    return { ...account, http: anybody.with({ authorization: `Bearer ${answer.body.access_token}` }) };
  };
  return {
    url,
    app,
    db,
    owner,
    make,
    simulator: new HttpClient(simulator.url, { 'x-api-key': TEST_SECRETS.WAHA_API_KEY }),
    tenantId: ownTenant,
    anybody,
    login,
    stopSimulator: () => simulator.close(),
    close: async () => {
      if (!(await shutDown(app, CLOSE_TIMEOUT_MS))) throw new Error('The application did not end in time');
      await simulator.close();
      await owner.end();
      await db.drop();
    },
  };
}
