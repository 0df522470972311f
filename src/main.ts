import { createApp } from './bootstrap';
import { ConfigError, loadConfig, readEnvironment } from './config/load-config';
import { migrate } from './platform/database/migrate';
import { roleAccessOf } from './platform/database/role-access';
import { Readiness } from './platform/http/readiness';
import { createLogger } from './platform/logging/logger';
import { endOnSignal, endOnUncaught } from './platform/process/end-of-process';

/** EX_CONFIG of sysexits.h: a supervisor need not try again. */
const EXIT_CONFIG = 78;

/** Starts the roles: environment, configuration, database, application, in this order. */
async function main(): Promise<void> {
  const started = { variables: readEnvironment(), stop: () => Promise.resolve() };
  const config = loadConfig(started.variables);
  const logger = createLogger(config);
  endOnUncaught(logger);
  if (config.MIGRATE_ON_START) await migrate({ ...roleAccessOf(config), log: (line) => logger.info(line) });
  const app = await createApp(config, { logger });
  endOnSignal({ app, logger, timeoutMs: config.SHUTDOWN_TIMEOUT_S * 1000, stop: () => started.stop() });
  await app.listen(config.PORT, config.HOST);
  app.get(Readiness).ready();
  logger.info({ address: await app.getUrl() }, 'listening');
}

main().catch((error: unknown) => {
  if (error instanceof ConfigError) {
    console.error(error.message);
    process.exit(EXIT_CONFIG);
  }
  console.error(error);
  process.exit(1);
});
