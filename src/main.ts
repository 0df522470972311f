import './platform/process/collector'; // before anything else
import './platform/process/require-node';
import './platform/process/source-maps';
import { createApp } from './bootstrap';
import type { Config } from './config/config';
import { loadConfig, readEnvironment } from './config/load-config';
import { listenProblem, tellFailure } from './config/start.error';
import { type Addresses, banner } from './embedded/banner';
import { completeEnvironment, type EmbeddedPieces } from './embedded/embedded-start';
import { GatewayPort } from './modules/gateway/gateway-port.service';
import { readDemoShop, seedShop } from './modules/demo/demo-shop';
import { seedDemo } from './modules/demo/seed-demo';
import { migrate } from './platform/database/migrate';
import { roleAccessOf } from './platform/database/role-access';
import { SystemDatabase } from './platform/database/system-database';
import { TenantDatabase } from './platform/database/tenant-database';
import { Readiness } from './platform/http/readiness';
import { createLogger } from './platform/logging/logger';
import { endOnSignal, endOnUncaught } from './platform/process/end-of-process';
import { releaseStartMemory } from './platform/process/start-memory';

type App = Awaited<ReturnType<typeof createApp>>;

/** Starts the roles: environment (made up where it is missing), configuration, database, application, in this order. */
async function main(): Promise<void> {
  const pieces = await completeEnvironment(readEnvironment(), (line) => console.error(line));
  try {
    await start(pieces);
  } catch (error) {
    await pieces.stop();
    throw error;
  }
}

async function start(pieces: EmbeddedPieces): Promise<void> {
  const { embedded } = pieces;
  const config = loadConfig(pieces.variables);
  const logger = createLogger(config);
  endOnUncaught(logger);
  if (config.MIGRATE_ON_START) await migrate({ ...roleAccessOf(config), log: (line) => logger.info(line) });
  const app = await createApp(config, { logger });
  endOnSignal({ app, logger, timeoutMs: config.SHUTDOWN_TIMEOUT_S * 1000, stop: () => pieces.stop() });
  let addresses: Addresses;
  try {
    addresses = await serve(app, config, embedded);
  } catch (error) {
    // Before the pieces stop: it is connected to them.
    await app
      .close()
      .catch((failure: unknown) => logger.error({ err: failure }, 'closing after a failed start failed'));
    throw error;
  }
  const { api, gateway } = addresses;
  logger.info({ address: api ?? gateway, ...(gateway === undefined ? {} : { gateway }) }, 'listening');
  if (api !== undefined && (embedded.database || embedded.waha))
    console.log(banner(config, { api, gateway }, embedded));
}

/** Where it listens: at least one of the two. */
async function serve(app: App, config: Config, embedded: EmbeddedPieces['embedded']): Promise<Addresses> {
  if (embedded.database) {
    const demo = { password: config.DEMO_PASSWORD, rounds: config.BCRYPT_ROUNDS, plan: config.DEFAULT_PLAN };
    const db = app.get(TenantDatabase);
    const tenant = await seedDemo(db, app.get(SystemDatabase), demo);
    // Once: what people take out of it does not come back with the next start.
    if (tenant.founded) await seedShop(db, tenant.id, await readDemoShop());
  }
  releaseStartMemory();
  const { PORT: port, GATEWAY_PORT: gatewayPort, HOST: host } = config;
  const addresses: Addresses = {};
  if (config.ROLE !== 'gateway') {
    await app.listen(port, host).catch((error: unknown) => {
      throw listenProblem(error, { variable: 'PORT', port, host });
    });
    addresses.api = await app.getUrl();
  }
  if (config.servesGateway)
    addresses.gateway = await app
      .get(GatewayPort)
      .listen(gatewayPort, host)
      .catch((error: unknown) => {
        throw listenProblem(error, { variable: 'GATEWAY_PORT', port: gatewayPort, host });
      });
  app.get(Readiness).ready();
  return addresses;
}

main().catch((error: unknown) => process.exit(tellFailure(error)));
