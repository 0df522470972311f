import { readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { installJobSchema } from '../jobs/job-schema';
import { ensureRoles, type RoleAccess } from './roles';
import { roleName } from './role-kinds';
import { raiseTenantWall } from './tenant-wall';

/** One migration run at a time in a database: TypeORM itself takes no lock, and two at once fail half way. */
const MIGRATION_LOCK = 7_266_100_917;
const LOCK_POLL_MS = 200;

export interface MigrateOptions extends RoleAccess {
  log?: (line: string) => void;
  /** Days that audit records are kept; unset leaves it as it is. Only the owner can set it. */
  auditRetentionDays?: number;
}

/** The migrations beside the compiled or the source tree. */
const MIGRATIONS = path.join(__dirname, '../../../migrations/*-*.{js,ts}');

/** The owner's DataSource of the migrations, as the TypeORM CLI uses it too. */
export const migrationSource = (ownerUrl: string): DataSource =>
  new DataSource({
    type: 'postgres',
    url: ownerUrl,
    migrations: [MIGRATIONS],
    migrationsTransactionMode: 'each',
    migrationsTableName: 'migrations',
    installExtensions: false,
    extra: { max: 2 },
  });

/**
 * Brings the database up to this version: roles, migrations, wall, job queue. Waits for another process that is at it. A database of
 * a newer version is left as it is: what this version thinks of its tables and functions no longer holds, and the newer one runs
 * beside this one until it is replaced.
 */
export async function migrate(options: MigrateOptions): Promise<void> {
  await underLock(options.ownerUrl, async (owner) => {
    await ensureRoles(owner, options);
    if (await isNewer(owner)) return options.log?.('not migrated: the database is of a newer version');
    const source = await migrationSource(options.ownerUrl).initialize();
    try {
      const done = await source.runMigrations();
      for (const { name } of done) options.log?.(`migrated: ${name}`);
    } finally {
      await source.destroy();
    }
    await raiseTenantWall(owner, options.rolePrefix);
    if (options.auditRetentionDays !== undefined)
      await owner.query('update audit_policy set retention_days = $1', [options.auditRetentionDays]);
    await maintainAudit(owner);
    await installJobSchema(options.ownerUrl, roleName(options.rolePrefix, 'system'));
  });
}

/** SQLSTATE: somebody holds a lock that it did not get soon. */
const LOCK_NOT_AVAILABLE = '55P03';

/** Where a running service reads the trail at this moment, its own job makes and drops months later: they are made long ahead. */
async function maintainAudit(owner: Client): Promise<void> {
  await owner.query('select audit_maintain()').catch((error: Error & { code?: string }) => {
    if (error.code !== LOCK_NOT_AVAILABLE) throw error;
  });
}

/** Takes the last migration back. */
export async function revertLast(ownerUrl: string): Promise<void> {
  await underLock(ownerUrl, async () => {
    const source = await migrationSource(ownerUrl).initialize();
    try {
      await source.undoLastMigration();
    } finally {
      await source.destroy();
    }
  });
}

/** Whether the newest migration of this version is in the database; the roles of the service may ask. */
export async function isMigrated(query: (text: string) => Promise<{ newest: string | null }[]>): Promise<boolean> {
  const [row] = await query('select max(timestamp)::text as newest from migrations');
  return Number(row?.newest ?? 0) >= newestMigration();
}

/** Whether the database has seen a migration that is newer than all of this version. */
async function isNewer(owner: Client): Promise<boolean> {
  const { rows } = await owner.query<{ there: boolean }>(`select to_regclass('migrations') is not null as there`);
  if (!rows[0]?.there) return false;
  const newest = await owner.query<{ newest: string | null }>('select max(timestamp)::text as newest from migrations');
  return Number(newest.rows[0]?.newest ?? 0) > newestMigration();
}

function newestMigration(): number {
  const stamps = readdirSync(path.dirname(MIGRATIONS)).map((file) => Number.parseInt(file, 10) || 0);
  return Math.max(...stamps);
}

async function underLock(ownerUrl: string, work: (owner: Client) => Promise<void>): Promise<void> {
  const owner = new Client({ connectionString: ownerUrl, application_name: 'switchboard migrate' });
  owner.on('error', () => undefined);
  await owner.connect();
  try {
    while (!(await isLocked(owner))) await sleep(LOCK_POLL_MS);
    await work(owner);
  } finally {
    await owner.end();
  }
}

/**
 * Takes the lock unless somebody has it. Never by a statement that waits: `create index concurrently` of whoever has the lock waits
 * for every statement that began before it, this one too, and neither would end.
 */
async function isLocked(owner: Client): Promise<boolean> {
  const { rows } = await owner.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [
    MIGRATION_LOCK,
  ]);
  return rows[0]?.locked === true;
}
