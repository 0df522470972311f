import type { ModuleMetadata } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { AppModule } from './app.module';
import type { Config } from './config/config';
import { createHttpApp } from './platform/http/create-http-app';
import { createLogger } from './platform/logging/logger';

/** What a start may bring along: tests listen to the log or add modules of their own. */
interface Overrides {
  logger?: Logger;
  /** Modules beside the features. */
  imports?: NonNullable<ModuleMetadata['imports']>;
}

/**
 * The whole application, initialised and not yet listening; `main.ts` and the tests both begin here. The database must be
 * migrated.
 * @throws Error when a route says not who may call it
 */
export function createApp(config: Config, overrides: Overrides = {}): Promise<NestFastifyApplication> {
  const root = AppModule.forRoot(config, overrides.imports ?? []);
  return createHttpApp(root, config, overrides.logger ?? createLogger(config));
}
