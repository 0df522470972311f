import type { Client } from 'pg';
import { freshDatabase, type TestDatabase } from '../support/database';
import { Factories, type TestSession } from '../support/factories';
import { type Doors, openDoors } from './database.harness';

const MINUTE = 60_000;
const AFTER_MS = 15 * MINUTE;

let db: TestDatabase;
let owner: Client;
let doors: Doors;
let make: Factories;

beforeAll(async () => {
  db = await freshDatabase();
  owner = await db.owner();
  doors = await openDoors(db, 2);
  make = new Factories(owner);
});

afterAll(async () => {
  await doors.close();
  await owner.end();
  await db.drop();
});

const ago = (minutes: number): Date => new Date(Date.now() - minutes * MINUTE);

/** A session that should run, with such columns. */
async function session(columns: Record<string, unknown> = {}): Promise<TestSession> {
  const made = await make.session(await make.tenant());
  await owner.query(`update waha_servers set status = 'up'`);
  const all = { desired: 'running', working_since: ago(600), ...columns };
  const set = Object.keys(all).map((name, nth) => `${name} = $${nth + 2}`);
  await owner.query(`update sessions set ${set.join(', ')} where id = $1`, [made.id, ...Object.values(all)]);
  return made;
}

/** Messages that were sent so many minutes ago and never confirmed: after ten minutes they are stalled. */
async function unconfirmed(of: TestSession, ...minutes: number[]): Promise<void> {
  for (const each of minutes) {
    const due = each < 10 ? new Date(ago(each).getTime() + 10 * MINUTE) : null;
    await make.message(of, { status: due ? 'sent' : 'stalled', sent_at: ago(each), ack_due_at: due });
  }
}

const findDeaf = async (afterMs = AFTER_MS): Promise<string[]> =>
  (await doors.system.run<{ id: string }>('findDeaf', [afterMs, 3])).map(({ id }) => id);

describe('a session is deaf', () => {
  it('with three messages of a quarter of an hour ago that nobody confirmed, and is so once', async () => {
    const deaf = await session();
    await unconfirmed(deaf, 16, 17, 18);
    const found = await Promise.all([findDeaf(), findDeaf()]);
    expect(found.flat()).toEqual([deaf.id]);
    expect(await findDeaf()).toEqual([]);
    const { rows } = await owner.query(
      'select health, health_reason, next_restart_at <= now() as due, restart_attempts from sessions where id = $1',
      [deaf.id],
    );
    expect(rows).toEqual([
      { health: 'deaf', health_reason: expect.stringContaining('900 s'), due: true, restart_attempts: 0 },
    ]);
  });

  it('whether or not they are stalled yet', async () => {
    const deaf = await session();
    await unconfirmed(deaf, 12, 8, 7);
    expect(await findDeaf(7.5 * MINUTE)).toEqual([]);
    expect(await findDeaf(6.5 * MINUTE)).toEqual([deaf.id]);
  });

  it('when it heard something before they were sent', async () => {
    const deaf = await session({ last_ack_at: ago(30), last_inbound_at: ago(20) });
    await unconfirmed(deaf, 16, 17, 18);
    expect(await findDeaf()).toEqual([deaf.id]);
  });
});

describe('a session is not deaf', () => {
  it.each<[string, Record<string, unknown>, number[]]>([
    ['with two such messages', {}, [16, 17, 5]],
    ['when an ack came since', { last_ack_at: ago(17.5) }, [16, 17, 18]],
    ['when somebody wrote since', { last_inbound_at: ago(1) }, [16, 17, 18]],
    ['when it began to work after they were sent', { working_since: ago(17.5) }, [16, 17, 18]],
    ['when it does not say that it works', { status: 'STARTING' }, [16, 17, 18]],
    ['when it should be stopped', { desired: 'stopped' }, [16, 17, 18]],
  ])('%s', async (_what, columns, minutes) => {
    const well = await session(columns);
    await unconfirmed(well, ...minutes);
    expect(await findDeaf()).toEqual([]);
  });

  it('by messages that WhatsApp confirmed, or that are not its own', async () => {
    const [well, other] = [await session(), await session({ desired: 'stopped' })];
    await unconfirmed(other, 16, 17, 18);
    for (const status of ['sent', 'delivered', 'read']) await make.message(well, { status, sent_at: ago(16) });
    expect(await findDeaf()).toEqual([]);
  });

  it('while its server is away: that it works, is what was heard before', async () => {
    const unreachable = await session();
    await unconfirmed(unreachable, 16, 17, 18);
    await owner.query(`update waha_servers set status = 'down'`);
    expect(await findDeaf()).toEqual([]);
    await owner.query(`update waha_servers set status = 'up'`);
    expect(await findDeaf()).toEqual([unreachable.id]);
  });

  it('while events wait to be applied, which may be the word that is missed', async () => {
    const waiting = await session();
    await unconfirmed(waiting, 16, 17, 18);
    await owner.query(
      `insert into webhook_events (tenant_id, session_id, event, event_id, body) values ($1, $2, 'message.ack', 'x', '{}')`,
      [waiting.tenantId, waiting.id],
    );
    expect(await findDeaf()).toEqual([]);
    await owner.query(`update webhook_events set status = 'applied'`);
    expect(await findDeaf()).toEqual([waiting.id]);
  });
});
