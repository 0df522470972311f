import { Client } from 'pg';
import { freshDatabase, startOwnPostgres, type TestDatabase } from '../../../test/support/database';
import { eventually } from '../../../test/support/wait';
import { JobQueue, type JobQueueSettings } from './job-queue';
import { JOBS } from './job-names';
import { installJobSchema } from './job-schema';

const PAYLOAD = { version: 1 } as const;

const rowsOf = async <R>(url: string, sql: string): Promise<R[]> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as R[];
  } finally {
    await client.end();
  }
};

describe('JobQueue', () => {
  let database: TestDatabase;
  let queues: JobQueue[];

  const queue = (settings: Partial<JobQueueSettings> = {}) => {
    const made = new JobQueue({ url: database.roleUrl('system'), works: true, stopTimeoutMs: 5_000, ...settings });
    queues.push(made);
    return made;
  };

  const states = () =>
    rowsOf<{ state: string }>(database.ownerUrl, `select state from pgboss.job where name = 'purge-expired'`);

  beforeAll(async () => {
    database = await freshDatabase();
    const role = `${database.rolePrefix}_system`;
    await Promise.all([installJobSchema(database.ownerUrl, role), installJobSchema(database.ownerUrl, role)]);
    await installJobSchema(database.ownerUrl, role);
  });

  beforeEach(() => {
    queues = [];
  });

  afterEach(async () => {
    await Promise.all(queues.map((each) => each.stop()));
    await rowsOf(database.ownerUrl, 'delete from pgboss.job');
  });

  afterAll(() => database.drop());

  it('does what another process sent, as a role that may not change the tables', async () => {
    const sender = queue({ works: false });
    sender.register(JOBS.purgeExpired, () => Promise.reject(new Error('the sender does no work')));
    sender.begin();
    expect(await sender.send(JOBS.purgeExpired, PAYLOAD)).toBe(true);
    const done: unknown[] = [];
    const outcomes: string[] = [];
    const worker = queue({ onRun: (name, outcome) => void outcomes.push(`${name} ${outcome}`) });
    worker.register(JOBS.purgeExpired, (payload) => Promise.resolve(void done.push(payload)), { pollS: 0.5 });
    worker.begin();
    await eventually(() => done.length === 1);
    expect(done).toEqual([PAYLOAD]);
    expect(outcomes).toEqual(['purge-expired done']);
    await eventually(async () => (await states())[0]?.state === 'completed');
    await expect(
      rowsOf(database.roleUrl('system'), 'alter table pgboss.job_common add column x int'),
    ).rejects.toMatchObject({ code: '42501' });
  });

  it('lets one job wait for each key', async () => {
    const sender = queue({ works: false });
    sender.register(JOBS.purgeExpired, () => Promise.resolve());
    const sent = [];
    for (const onceKey of ['a', 'a', 'b']) sent.push(await sender.send(JOBS.purgeExpired, PAYLOAD, { onceKey }));
    expect(sent).toEqual([true, false, true]);
  });

  it('tries a failed job again', async () => {
    let runs = 0;
    const worker = queue();
    worker.register(JOBS.purgeExpired, () => Promise.reject(new Error(`run ${++runs}`)), { pollS: 0.5 });
    await worker.send(JOBS.purgeExpired, PAYLOAD);
    await eventually(async () => (await states())[0]?.state === 'retry');
    await rowsOf(database.ownerUrl, 'update pgboss.job set start_after = now()');
    await eventually(() => runs === 2);
  });

  it('keeps one schedule for all workers', async () => {
    for (let i = 0; i < 2; i++) {
      const worker = queue();
      worker.register(JOBS.purgeExpired, () => Promise.resolve());
      worker.schedule(JOBS.purgeExpired, '17 * * * *');
      worker.begin();
    }
    await eventually(async () => {
      const rows = await rowsOf<{ cron: string }>(database.ownerUrl, 'select cron from pgboss.schedule');
      return rows.length === 1 && rows[0]?.cron === '17 * * * *';
    });
  });

  it('ends after the job under way', async () => {
    let finish = (): void => undefined;
    let begun = false;
    const worker = queue();
    worker.register(
      JOBS.purgeExpired,
      () => {
        begun = true;
        return new Promise((resolve) => (finish = resolve));
      },
      { pollS: 0.5 },
    );
    await worker.send(JOBS.purgeExpired, PAYLOAD);
    await eventually(() => begun);
    const stopped = worker.stop();
    setTimeout(() => finish(), 300);
    await stopped;
    expect((await states())[0]?.state).toBe('completed');
    await expect(worker.send(JOBS.purgeExpired, PAYLOAD)).rejects.toThrow('stopped');
  });

  it('says how full its queues are', async () => {
    const sender = queue({ works: false });
    sender.register(JOBS.purgeExpired, () => Promise.resolve());
    expect(await sender.states()).toEqual([
      { name: JOBS.purgeExpired, queued: expect.any(Number), active: 0, failed: expect.any(Number) },
    ]);
  });

  it('refuses two handlers for a name, and a schedule for none', () => {
    const worker = queue();
    expect(() => worker.schedule(JOBS.purgeExpired, '* * * * *')).toThrow('no handler');
    worker.register(JOBS.purgeExpired, () => Promise.resolve());
    expect(() => worker.register(JOBS.purgeExpired, () => Promise.resolve())).toThrow('two handlers');
  });
});

describe('JobQueue beside a PostgreSQL that restarts', () => {
  it('begins while it is away, and works again after each crash', async () => {
    const server = await startOwnPostgres();
    await rowsOf(server.url, `create role jobs login password 'test-only-password'`);
    await installJobSchema(server.url, 'jobs');
    await server.stop();
    const url = new URL(server.url);
    url.username = 'jobs';
    url.password = 'test-only-password';
    let errors = 0;
    let runs = 0;
    const worker = new JobQueue({ url: url.href, works: true, stopTimeoutMs: 5_000, onError: () => (errors += 1) });
    worker.register(JOBS.purgeExpired, () => Promise.resolve(void (runs += 1)), { pollS: 0.5 });
    worker.begin();
    await eventually(() => errors > 0);
    await server.restart();
    await eventually(() => worker.send(JOBS.purgeExpired, PAYLOAD).catch(() => false));
    await eventually(() => runs === 1);
    await server.restart('immediate');
    await eventually(() => worker.send(JOBS.purgeExpired, PAYLOAD).catch(() => false));
    await eventually(() => runs >= 2);
    await worker.stop();
    await server.stop();
  });
});
