import { tmpdir } from 'node:os';
import path from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from '../../src/bootstrap';
import { loadConfig } from '../../src/config/load-config';
import { migrate } from '../../src/platform/database/migrate';
import { roleAccessOf } from '../../src/platform/database/role-access';
import { isMigratedClone, workerDatabase } from './database';
import { TEST_ENCRYPTION_KEY, TEST_ROLE_PREFIX } from './run';

/** Only ever used by tests. */
export const TEST_SECRETS = {
  JWT_SECRET: 'only-for-tests-'.repeat(3),
  DATA_ENCRYPTION_KEY: TEST_ENCRYPTION_KEY,
  WAHA_API_KEY: 'only-for-tests',
};

/**
 * The whole application on the spec file's own database (or the one of DATABASE_URL), started as main.ts starts it; not
 * listening. The caller closes it. A clone of the template is not migrated again, which would find nothing to do.
 */
export async function createTestApp(variables: Record<string, string> = {}): Promise<NestFastifyApplication> {
  const ownerUrl = variables.DATABASE_URL ?? (await workerDatabase()).ownerUrl;
  const config = loadConfig({
    NODE_ENV: 'test',
    LOG_LEVEL: 'silent',
    PORT: '0',
    BCRYPT_ROUNDS: '4',
    DATABASE_URL: ownerUrl,
    DATABASE_ROLE_PREFIX: TEST_ROLE_PREFIX,
    WAHA_BASE_URL: 'http://127.0.0.1:9',
    WAHA_LATE_MS: '2000',
    STORAGE_PATH: path.join(tmpdir(), `switchboard-storage-${process.pid}`),
    ...TEST_SECRETS,
    ...variables,
  });
  if (!isMigratedClone(ownerUrl)) await migrate(roleAccessOf(config));
  return createApp(config);
}
