import 'reflect-metadata';
import { Config } from '../src/config/config';
import { loadConfig, readEnvironment } from '../src/config/load-config';
import { ConfigError, tellFailure } from '../src/config/start.error';
import { readDemoShop, seedShop } from '../src/modules/demo/demo-shop';
import { seedDemo } from '../src/modules/demo/seed-demo';
import { DatabaseConnections } from '../src/platform/database/database-connections';
import { migrate } from '../src/platform/database/migrate';
import { roleAccessOf } from '../src/platform/database/role-access';
import { SystemDatabase } from '../src/platform/database/system-database';
import { TenantDatabase } from '../src/platform/database/tenant-database';

/** `npm run seed:demo`: migrates the database of DATABASE_URL and makes the tenant `demo` in it, with four users and a shop. */
async function main(): Promise<void> {
  const config = loadConfig(readEnvironment());
  if (config.NODE_ENV === 'production' && config.DEMO_PASSWORD === new Config().DEMO_PASSWORD)
    throw new ConfigError(['DEMO_PASSWORD is the sample value, with which production makes no users']);
  const access = roleAccessOf(config);
  await migrate({ ...access, log: (line) => console.log(line) });
  const connections = new DatabaseConnections(access, config, []);
  try {
    await connections.onModuleInit();
    const options = { password: config.DEMO_PASSWORD, rounds: config.BCRYPT_ROUNDS, plan: config.DEFAULT_PLAN };
    const db = new TenantDatabase(connections);
    const tenant = await seedDemo(db, new SystemDatabase(connections), options);
    await seedShop(db, tenant.id, await readDemoShop());
  } finally {
    await connections.onApplicationShutdown();
  }
  console.log('The tenant `demo` is there with its four users and its shop');
}

main().catch((error: unknown) => {
  process.exitCode = tellFailure(error);
});
