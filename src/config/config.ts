import 'reflect-metadata';
import {
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  IsUrl,
  Matches,
  Max,
  Min,
  MinLength,
} from 'class-validator';
import { IsCidrList } from '../common/cidr-list.rule';
import { PLAN_NAMES, type PlanName } from '../common/plans';
import { GatewayConfig } from './gateway-config';
import { AsBoolean, AsInteger, AsList, Variable } from './variable';

const URL_OF = (...protocols: string[]) =>
  IsUrl(
    { protocols, require_protocol: true, require_tld: false, require_host: true },
    { message: `$property must be a URL (${protocols.map((p) => `${p}://`).join(' or ')}…)` },
  );

export const ROLE_NAMES = ['all', 'api', 'worker', 'gateway'] as const;

/**
 * The configuration, one property per environment variable, validated at start. An empty variable counts as unset. What is
 * optional here and needed at run time (addresses, secrets) is filled in by the embedded start; production demands it.
 */
export class Config extends GatewayConfig {
  @Variable('Process', 'development, test or production; production refuses missing or sample secrets')
  @IsIn(['development', 'test', 'production'])
  NODE_ENV: 'development' | 'test' | 'production' = 'development';

  @Variable('Process', 'What this process does: api, worker, gateway or all')
  @IsIn(ROLE_NAMES)
  ROLE: (typeof ROLE_NAMES)[number] = 'all';

  @Variable('Process', 'Port of the API (0 = any free one)')
  @AsInteger()
  @IsInt()
  @Min(0)
  @Max(65535)
  PORT: number = 3000;

  @Variable('Process', 'Address to listen on; 0.0.0.0 in a container')
  @IsString()
  HOST: string = '127.0.0.1';

  @Variable('Process', 'fatal, error, warn, info, debug, trace or silent')
  @IsIn(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
  LOG_LEVEL: string = 'info';

  @Variable('Process', 'Proxies whose X-Forwarded-For is believed, as a comma-separated list of CIDRs')
  @AsList()
  @IsCidrList('comma-separated list')
  TRUSTED_PROXIES: string[] = [];

  @Variable('Process', 'Origins that browsers may call from, comma-separated')
  @AsList()
  @IsArray()
  @IsString({ each: true })
  CORS_ORIGINS: string[] = [];

  @Variable('Process', 'Seconds that a shutdown may take to finish what is in flight')
  @AsInteger()
  @IsInt()
  @Min(1)
  @Max(300)
  SHUTDOWN_TIMEOUT_S: number = 30;

  @Variable(
    'Database',
    'PostgreSQL, as the owner of the tables: migrates at start and makes the roles. Unset: an embedded one',
  )
  @IsOptional()
  @URL_OF('postgres', 'postgresql')
  DATABASE_URL?: string;

  @Variable('Database', 'Instead of DATABASE_URL: host')
  @IsOptional()
  @IsString()
  DB_HOST?: string;

  @Variable('Database', 'Instead of DATABASE_URL: port')
  @AsInteger()
  @IsInt()
  @Min(1)
  @Max(65535)
  DB_PORT: number = 5432;

  @Variable('Database', 'Instead of DATABASE_URL: user')
  @IsString()
  DB_USERNAME: string = 'postgres';

  @Variable('Database', 'Instead of DATABASE_URL: password')
  @IsOptional()
  @IsString()
  DB_PASSWORD?: string;

  @Variable('Database', 'Instead of DATABASE_URL: database')
  @IsString()
  DB_NAME: string = 'switchboard';

  @Variable('Database', 'Prefix of the three roles that the service works as (cluster-wide names)')
  @Matches(/^[a-z][a-z0-9_]{0,40}$/)
  DATABASE_ROLE_PREFIX: string = 'switchboard';

  @Variable('Database', 'Connections of the pool that serves one tenant at a time')
  @AsInteger()
  @IsInt()
  @Min(1)
  @Max(500)
  DATABASE_POOL_MAX: number = 10;

  @Variable('Database', 'Whether the migrations run at start (under an advisory lock); otherwise: npm run db:migrate')
  @AsBoolean()
  @IsBoolean()
  MIGRATE_ON_START: boolean = true;

  @Variable(
    'Process',
    'Our address as the world reaches it: links to files begin with it. Unset: http://localhost:PORT',
  )
  @IsOptional()
  @URL_OF('http', 'https')
  PUBLIC_URL?: string;

  @Variable('Redis', 'Cache and counters shared by replicas. Unset: memory of this process')
  @IsOptional()
  @URL_OF('redis', 'rediss')
  REDIS_URL?: string;

  @Variable('WAHA', 'Address of WAHA. Unset: the simulator')
  @IsOptional()
  @URL_OF('http', 'https')
  WAHA_BASE_URL?: string;

  @Variable('WAHA', 'Plain API key of WAHA (unset: one made for the simulator at the first start)')
  @IsOptional()
  @MinLength(8)
  WAHA_API_KEY?: string;

  @Variable('WAHA', 'How WAHA reaches us, a full URL (unset: http://localhost:PORT/webhooks/waha)')
  @IsOptional()
  @URL_OF('http', 'https')
  WAHA_WEBHOOK_URL?: string;

  @Variable('WAHA', 'Milliseconds that a call to WAHA may take; above the 10 s that WAHA itself waits for a session')
  @AsInteger()
  @IsInt()
  @Min(100)
  @Max(120_000)
  WAHA_TIMEOUT_MS: number = 20_000;

  @Variable(
    'WAHA',
    'Milliseconds after a call without an answer in which a slow WAHA may still do it; only then is a message that it does not know sent again',
  )
  @AsInteger()
  @IsInt()
  @Min(0)
  @Max(600_000)
  WAHA_LATE_MS: number = 40_000;

  @Variable(
    'WAHA',
    'Seconds without an answer after which a WAHA server is dead: sessions go on elsewhere in its storage group',
  )
  @AsInteger()
  @IsInt()
  @Min(1)
  @Max(86_400)
  WAHA_DEAD_AFTER_S: number = 300;

  @Variable('WAHA', 'Port of the simulator')
  @AsInteger()
  @IsInt()
  @Min(0)
  @Max(65535)
  WAHA_SIMULATOR_PORT: number = 3001;

  @Variable('WAHA', 'Whose answers the simulator gives: NOWEB, GOWS or WEBJS')
  @IsIn(['NOWEB', 'GOWS', 'WEBJS'])
  SIMULATOR_ENGINE: 'NOWEB' | 'GOWS' | 'WEBJS' = 'NOWEB';

  @Variable(
    'Embedded start',
    'Folder of the embedded PostgreSQL, the simulator and the secrets made at the first start',
  )
  @IsString()
  EMBEDDED_DATA_DIR: string = './.data';

  @Variable('Embedded start', 'Password of the four demo users')
  @MinLength(10)
  DEMO_PASSWORD: string = 'Demo-2026-Switchboard';

  @Variable(
    'Secrets',
    'Signs access and refresh tokens, at least 32 characters (unset: made at the first embedded start)',
  )
  @IsOptional()
  @MinLength(32)
  JWT_SECRET?: string;

  @Variable('Secrets', 'Comma-separated former JWT_SECRETs, which still verify: rotation logs nobody out')
  @AsList()
  @IsArray()
  @MinLength(32, { each: true })
  JWT_PREVIOUS_SECRETS: string[] = [];

  @Variable('Secrets', '32 bytes in base64: encrypts secrets at rest (unset: made at the first embedded start)')
  @IsOptional()
  @Matches(/^[A-Za-z0-9+/]{43}=$/, {
    message: 'DATA_ENCRYPTION_KEY must be 32 bytes in base64 (openssl rand -base64 32)',
  })
  DATA_ENCRYPTION_KEY?: string;

  @Variable('Secrets', 'Cost of bcrypt')
  @AsInteger()
  @IsInt()
  @Min(4)
  @Max(15)
  BCRYPT_ROUNDS: number = 12;

  @Variable('Secrets', 'Key of the platform administrator (X-API-Key), at least 32 characters (unset: there is none)')
  @IsOptional()
  @MinLength(32)
  ADMIN_API_KEY?: string;

  @Variable(
    'Access',
    'Whether POST /auth/token gives tokens without a password, to try things out; never in production',
  )
  @AsBoolean()
  @IsBoolean()
  AUTH_DEV_TOKENS: boolean = false;

  @Variable('Access', 'Plan of the demo tenant and of those who sign up: free, starter, business or unlimited')
  @IsIn(PLAN_NAMES)
  DEFAULT_PLAN: PlanName = 'unlimited';

  @Variable('Access', 'Days that audit records are kept; whole months are dropped')
  @AsInteger()
  @IsInt()
  @Min(1)
  @Max(36_500)
  AUDIT_RETENTION_DAYS: number = 400;

  @Variable('Access', 'Whether POST /users/register is open (unset: only outside production)')
  @IsOptional()
  @AsBoolean()
  @IsBoolean()
  SIGNUP_ENABLED?: boolean;

  @Variable('Access', 'Requests a minute of one unauthenticated address')
  @AsInteger()
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  RATE_LIMIT_PER_MINUTE: number = 100;

  @Variable('Access', 'Attempts a minute to log in, refresh or register, by address and by account')
  @AsInteger()
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  AUTH_RATE_LIMIT_PER_MINUTE: number = 10;

  @Variable(
    'Access',
    'Networks beyond the public internet that addresses named by tenants may lie in, comma-separated CIDRs; for trying out',
  )
  @AsList()
  @IsCidrList('comma-separated list')
  EGRESS_ALLOWED_CIDRS: string[] = [];

  @Variable('Access', 'Bearer token that GET /metrics asks for (unset: open)')
  @IsOptional()
  @MinLength(16)
  METRICS_TOKEN?: string;

  /** Whether this process does what goes on in the background: lanes, events, jobs, clocks. */
  get works(): boolean {
    return this.ROLE === 'all' || this.ROLE === 'worker';
  }

  /** Whether this process answers the API. */
  get answersApi(): boolean {
    return this.ROLE === 'all' || this.ROLE === 'api';
  }

  /** Whether this process serves the gateway on a port of its own. */
  get servesGateway(): boolean {
    return this.ROLE === 'all' || this.ROLE === 'gateway';
  }
}
