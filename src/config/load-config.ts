import { existsSync, readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import { parse } from 'dotenv';
import { Config } from './config';
import { storageProblems } from './s3-settings';
import { ConfigError } from './start.error';
import { variableNotes } from './variable';

/** Environment variables by name. */
export type Variables = Record<string, string | undefined>;

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
  const problems = validateSync(config).map((error) => problemOf(error, variables[error.property] ?? ''));
  problems.push(...hostProblems(config), ...storageProblems(config), ...productionProblems(config));
  if (problems.length > 0) throw new ConfigError(problems);
  return withDatabaseUrl(config);
}

/** What may be secret, or carry a password: its value is not repeated. */
const CONFIDENTIAL = /SECRET|KEY|PASSWORD|TOKEN|URL/;

/** The first rule that the variable breaks, in the order of the class: those after it only repeat it (a text is below no maximum). */
function problemOf({ property, constraints = {} }: ValidationError, given: string): string {
  const rule = Object.values(constraints).at(-1) ?? `${property} is not valid`;
  return CONFIDENTIAL.test(property) ? rule : `${rule}, not ${JSON.stringify(given.slice(0, 100))}`;
}

const SAMPLE = /change.?me|secret.?key|your.?(jwt|secret)|example|password|^(.)\1+$/i;

function productionProblems(config: Config): string[] {
  if (config.NODE_ENV !== 'production') return [];
  const problems: string[] = [];
  if (!config.DATABASE_URL && !config.DB_HOST) problems.push('DATABASE_URL is required in production');
  for (const name of ['JWT_SECRET', 'DATA_ENCRYPTION_KEY', 'WAHA_BASE_URL', 'WAHA_API_KEY'] as const)
    if (!config[name]) problems.push(`${name} is required in production`);
  if (config.AUTH_DEV_TOKENS)
    problems.push('AUTH_DEV_TOKENS gives tokens without a password, which production refuses');
  for (const name of ['JWT_SECRET', 'DATA_ENCRYPTION_KEY', 'WAHA_API_KEY', 'ADMIN_API_KEY'] as const)
    if (isSample(name, config[name] ?? '')) problems.push(`${name} is a sample value, which production refuses`);
  return problems;
}

function isSample(name: string, value: string): boolean {
  if (SAMPLE.test(value)) return true;
  return name === 'DATA_ENCRYPTION_KEY' && new Set(Buffer.from(value, 'base64')).size === 1;
}

/** The host as a URL has it: an IPv6 address in brackets. */
const hostInUrl = (host: string): string => (isIPv6(host) ? `[${host}]` : host);

function hostProblems({ DATABASE_URL, DB_HOST }: Config): string[] {
  if (DATABASE_URL || !DB_HOST) return [];
  const isHost = (isIPv6(DB_HOST) || /^[\w.-]+$/.test(DB_HOST)) && URL.canParse(`postgres://${hostInUrl(DB_HOST)}`);
  return isHost ? [] : [`DB_HOST must be a host name or an IP address, not ${JSON.stringify(DB_HOST)}`];
}

function withDatabaseUrl(config: Config): Config {
  if (config.DATABASE_URL || !config.DB_HOST) return config;
  const url = new URL(`postgres://${hostInUrl(config.DB_HOST)}`);
  url.port = String(config.DB_PORT);
  url.username = encodeURIComponent(config.DB_USERNAME);
  url.password = encodeURIComponent(config.DB_PASSWORD ?? '');
  url.pathname = `/${encodeURIComponent(config.DB_NAME)}`;
  config.DATABASE_URL = url.href;
  return config;
}
