import { Client } from 'pg';
import type { PgBoss } from 'pg-boss';

/** Schema of pg-boss in our database. */
export const JOB_SCHEMA = 'pgboss';
/** Any number that nothing else of ours locks. */
const GRANT_LOCK = 7_266_100_918;
const INDEX_WAIT_MS = 10 * 60_000;
const INDEX_LOOK_MS = 500;

/**
 * Brings the tables of the job queue up to the version that this service has, as the owner, and lets one role work on them
 * and change nothing of their shape. Safe to run again, and by two processes at once.
 * @param ownerUrl who may create schemas
 * @param role the role that the service's queue works as; it exists
 */
export async function installJobSchema(ownerUrl: string, role: string): Promise<void> {
  const { PgBoss } = await import('pg-boss');
  const boss = new PgBoss({
    connectionString: ownerUrl,
    schema: JOB_SCHEMA,
    application_name: 'switchboard migrate jobs',
    max: 2,
    supervise: false,
    schedule: false,
    bamIntervalSeconds: 10,
  });
  boss.on('error', () => undefined); // start() and the look-ups below report what matters
  await boss.start();
  try {
    await indexesBuilt(boss);
  } finally {
    await boss.stop({ graceful: false });
  }
  await grant(ownerUrl, role);
}

/** Upgrades build their indexes in the background. */
async function indexesBuilt(boss: PgBoss): Promise<void> {
  const deadline = Date.now() + INDEX_WAIT_MS;
  for (;;) {
    const statuses = await boss.getBamStatus();
    if (statuses.some(({ status }) => status === 'failed')) throw new Error('An index of the job queue was not built');
    if (statuses.every(({ status }) => status === 'completed')) return;
    if (Date.now() > deadline) throw new Error('The indexes of the job queue were not built in time');
    await new Promise((resolve) => setTimeout(resolve, INDEX_LOOK_MS));
  }
}

async function grant(ownerUrl: string, role: string): Promise<void> {
  const owner = new Client({ connectionString: ownerUrl, application_name: 'switchboard migrate jobs' });
  await owner.connect();
  try {
    const name = owner.escapeIdentifier(role);
    // One implicit transaction; two that grant at once would fail with "tuple concurrently updated".
    await owner.query(`
      select pg_advisory_xact_lock(${GRANT_LOCK});
      revoke all on schema ${JOB_SCHEMA} from public;
      grant usage on schema ${JOB_SCHEMA} to ${name};
      grant select, insert, update, delete on all tables in schema ${JOB_SCHEMA} to ${name};
      grant usage on all sequences in schema ${JOB_SCHEMA} to ${name};
      grant execute on all functions in schema ${JOB_SCHEMA} to ${name}`);
  } finally {
    await owner.end();
  }
}
