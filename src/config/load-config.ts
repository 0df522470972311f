import { existsSync, readFileSync } from 'node:fs';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { parse } from 'dotenv';
import { Config } from './config';
import { variableNotes } from './variable';

/** Environment variables by name. */
export type Variables = Record<string, string | undefined>;

/** The start was refused: the message lists every variable at fault, one a line. */
export class ConfigError extends Error {
  constructor(problems: string[]) {
    super(`The configuration is not valid:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/** The process's environment over `.env.$NODE_ENV` over `.env`, files of the working directory. The only reader of process.env. */
export function readEnvironment(): Variables {
  const fromFile = (name: string): Variables => (existsSync(name) ? parse(readFileSync(name)) : {});
  const base = fromFile('.env');
  const stage = process.env.NODE_ENV || base.NODE_ENV || 'development';
  return { ...base, ...fromFile(`.env.${stage}`), ...process.env };
}

/**
 * Makes the one typed configuration.
 * @throws ConfigError that lists all that is missing or malformed.
 */
export function loadConfig(variables: Variables): Config {
  const known = new Set(variableNotes().map((note) => note.name));
  const given = Object.entries(variables).filter(
    ([name, value]) => known.has(name) && value !== undefined && value !== '',
  );
  const config = plainToInstance(Config, Object.fromEntries(given), { exposeDefaultValues: true });
  const problems = validateSync(config).flatMap((error) => Object.values(error.constraints ?? {}));
  problems.push(...productionProblems(config));
  if (problems.length > 0) throw new ConfigError(problems);
  return withDatabaseUrl(config);
}

const SAMPLE = /change.?me|secret.?key|your.?(jwt|secret)|example|password|^(.)\1+$/i;

function productionProblems(config: Config): string[] {
  if (config.NODE_ENV !== 'production') return [];
  const problems: string[] = [];
  if (!config.DATABASE_URL && !config.DB_HOST) problems.push('DATABASE_URL is required in production');
  for (const name of ['JWT_SECRET', 'DATA_ENCRYPTION_KEY', 'WAHA_BASE_URL', 'WAHA_API_KEY'] as const)
    if (!config[name]) problems.push(`${name} is required in production`);
  for (const name of ['JWT_SECRET', 'DATA_ENCRYPTION_KEY', 'WAHA_API_KEY'] as const)
    if (SAMPLE.test(config[name] ?? '')) problems.push(`${name} is a sample value, which production refuses`);
  return problems;
}

function withDatabaseUrl(config: Config): Config {
  if (config.DATABASE_URL || !config.DB_HOST) return config;
  const url = new URL('postgres://host');
  url.hostname = config.DB_HOST;
  url.port = String(config.DB_PORT);
  url.username = encodeURIComponent(config.DB_USERNAME);
  url.password = encodeURIComponent(config.DB_PASSWORD ?? '');
  url.pathname = `/${encodeURIComponent(config.DB_NAME)}`;
  config.DATABASE_URL = url.href;
  return config;
}
