import './platform/process/source-maps';
import { createApp } from './bootstrap';
import { ConfigError, loadConfig, readEnvironment } from './config/load-config';
import { banner } from './embedded/banner';
import { EmbeddedError } from './embedded/embedded.error';
import { completeEnvironment, type EmbeddedPieces } from './embedded/embedded-start';
import { seedDemo } from './modules/demo/seed-demo';
import { migrate } from './platform/database/migrate';
import { roleAccessOf } from './platform/database/role-access';
import { SystemDatabase } from './platform/database/system-database';
import { TenantDatabase } from './platform/database/tenant-database';
import { Readiness } from './platform/http/readiness';
import { createLogger } from './platform/logging/logger';
import { endOnSignal, endOnUncaught } from './platform/process/end-of-process';
import { releaseStartMemory } from './platform/process/start-memory';

/** EX_CONFIG of sysexits.h: a supervisor need not try again. */
const EXIT_CONFIG = 78;

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
  if (embedded.database) {
    const demo = { password: config.DEMO_PASSWORD, rounds: config.BCRYPT_ROUNDS };
    await seedDemo(app.get(TenantDatabase), app.get(SystemDatabase), demo);
  }
  releaseStartMemory();
  await app.listen(config.PORT, config.HOST);
  app.get(Readiness).ready();
  const address = await app.getUrl();
  logger.info({ address }, 'listening');
  if (embedded.database || embedded.waha) console.log(banner(config, address, embedded));
}

main().catch((error: unknown) => {
  if (error instanceof ConfigError || error instanceof EmbeddedError) {
    console.error(error.message);
    process.exit(error instanceof ConfigError ? EXIT_CONFIG : 1);
  }
  console.error(error);
  process.exit(1);
});
