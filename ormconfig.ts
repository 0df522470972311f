import 'reflect-metadata';
import { loadConfig, readEnvironment } from './src/config/load-config';
import { migrationSource } from './src/platform/database/migrate';

/** For TypeORM's command line: the owner's connection of DATABASE_URL. */
export default migrationSource(
  loadConfig(readEnvironment()).DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/switchboard',
);
