import { Client } from 'pg';
import { DatabaseConnections } from '../../src/platform/database/database-connections';
import { Wakeups } from '../../src/platform/database/wakeups';
import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import { becomes, send, sendsOf, workingSession, type WireSession } from '../support/whatsapp';

let app: TestApp;
let admin: LoggedIn;
let session: WireSession;
let wakeups: Wakeups;

beforeAll(async () => {
  app = await startTestApp();
  wakeups = app.app.get(Wakeups);
  admin = await app.login('TENANT_ADMIN');
  session = await workingSession(app, admin.http);
});

afterAll(() => app.close());

const linkName = () => `switchboard worker ${wakeups.workerId}`;

/** Who holds the lock of this worker. */
async function holder(): Promise<number | undefined> {
  const { rows } = await app.owner.query<{ pid: number }>(
    `select pid from pg_locks where locktype = 'advisory' and granted
      and (classid::bigint << 32) | objid::bigint = hashtextextended($1, 0)`,
    [wakeups.workerId],
  );
  return rows[0]?.pid;
}

async function returnsAfter(cut: number | undefined): Promise<void> {
  await eventually(
    async () => {
      const pid = await holder();
      return wakeups.present && pid !== undefined && pid !== cut;
    },
    { what: 'the worker to have its lock again' },
  );
}

async function sendsAgain(text: string): Promise<void> {
  const { id } = await send(admin.http, { to: '5511888880000', text });
  await becomes(admin.http, id, 'sent', 'delivered', 'read');
  expect((await sendsOf(app, session)).filter((sent) => sent.text === text)).toHaveLength(1);
}

describe('a worker whose link to the database is cut', () => {
  it('takes its lock again, each time, and claims lanes', async () => {
    for (const text of ['one', 'two', 'three']) {
      const pid = await holder();
      expect(pid).toBeDefined();
      await app.owner.query('select pg_terminate_backend($1)', [pid]);
      await returnsAfter(pid);
      await sendsAgain(text);
    }
  });

  it('ends its former connection that the server takes for alive, and that holds the lock still', async () => {
    const former = new Client({
      connectionString: app.app.get(DatabaseConnections).url('system'),
      application_name: linkName(),
    });
    const ended = new Promise<void>((resolve) => former.on('end', () => resolve()));
    former.on('error', () => undefined);
    await former.connect();
    const { rows } = await former.query<{ pid: number }>('select pg_backend_pid() as pid');
    const waits = former.query('select pg_advisory_lock(hashtextextended($1, 0))', [wakeups.workerId]);
    await app.owner.query('select pg_terminate_backend($1)', [await holder()]);
    await waits; // it has the lock now, as the connection on the other side of a cut network has
    await ended;
    await returnsAfter(rows[0]?.pid);
    await sendsAgain('four');
  });
});
