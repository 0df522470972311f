import { Client } from 'pg';
import { type WakeChannel, Wakeups } from '../../src/platform/database/wakeups';
import { freshDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/wait';
import { type Doors, openDoors } from './database.harness';

describe('Wakeups while PostgreSQL is away', () => {
  let db: TestDatabase;
  let server: Client;
  let doors: Doors;
  let wakeups: Wakeups;
  const heard: Partial<Record<WakeChannel, number>> = {};

  const timesOf = (channel: WakeChannel): number => heard[channel] ?? 0;

  async function leave(): Promise<void> {
    await server.query(`alter database "${db.name}" with allow_connections false`);
    await server.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [db.name]);
    await eventually(() => !wakeups.present);
  }

  const comeBack = () => server.query(`alter database "${db.name}" with allow_connections true`);

  beforeAll(async () => {
    db = await freshDatabase();
    const url = new URL(db.ownerUrl);
    url.pathname = '/postgres';
    server = new Client({ connectionString: url.href });
    await server.connect();
    doors = await openDoors(db);
    wakeups = new Wakeups(doors.connections, doors.system);
    for (const channel of ['cache', 'lanes'] as const)
      wakeups.on(channel, () => void (heard[channel] = timesOf(channel) + 1));
    await wakeups.listen();
  });
  afterAll(async () => {
    await wakeups.onApplicationShutdown();
    await doors.close();
    await db.drop();
    await server.end();
  });

  it('say once, when others are heard again, that the cache may be out of date, and not with each attempt', async () => {
    await leave();
    const [cache, lanes] = [timesOf('cache'), timesOf('lanes')];
    await eventually(() => timesOf('lanes') >= lanes + 3, { what: 'three attempts' }); // which have workers look again
    expect(timesOf('cache')).toBe(cache);
    await comeBack();
    await eventually(() => wakeups.present);
    expect(timesOf('cache')).toBe(cache + 1);
  });

  it('tell others of the cache as soon as that is possible, and this process but once', async () => {
    const other = new Wakeups(doors.connections, doors.system);
    let told = 0;
    await leave();
    const telling = jest.spyOn(doors.system, 'run');
    const before = timesOf('cache');
    wakeups.wake('cache');
    await eventually(() => telling.mock.calls.length >= 3, { what: 'three refusals of the server' });
    expect(timesOf('cache')).toBe(before + 1);
    await comeBack();
    await other.listen();
    other.on('cache', () => (told += 1));
    await eventually(() => told > 0);
    await other.onApplicationShutdown();
  });
});
