import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from 'pg';
import { newId } from '../../src/common/ids';
import { STATS_STATEMENTS } from '../../src/platform/database/stats-statements';
import { freshDatabase, type TestDatabase } from '../support/database';
import { Factories, type TestSession } from '../support/factories';
import { type Doors, openDoors } from './database.harness';
import { differences, figuresOf, foldAllOf, type StatsStep, stepOf } from './message-stats.harness';

let db: TestDatabase;
let owner: Client;
let doors: Doors;
let make: Factories;

beforeAll(async () => {
  db = await freshDatabase();
  owner = await db.owner();
  doors = await openDoors(db, 4);
  make = new Factories(owner);
});

afterAll(async () => {
  await doors.close();
  await owner.end();
  await db.drop();
});

const step = (statement: StatsStep, limit: number): Promise<number> => stepOf(doors.system, statement, limit);
const foldAll = (): Promise<void> => foldAllOf(doors.system);

const STATUSES = ['queued', 'sending', 'sent', 'delivered', 'read', 'failed', 'unknown', 'cancelled', 'stalled'];
const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)] as T;

/** Something that may happen to messages, of any number of them at once. */
async function somethingHappens(client: Client, sessions: TestSession[], campaigns: string[]): Promise<void> {
  const { tenantId, id } = pick(sessions);
  const some = `id = any (array(select id from messages where tenant_id = $1 order by random() limit ${pick([0, 1, 1, 5, 40])}))`;
  const kind = Math.random();
  if (kind < 0.4)
    await client.query(
      `insert into messages (tenant_id, id, session_id, chat, direction, type, status, campaign_id, created_by, created_at, source)
        select $1::uuid, gen_random_uuid(), $2, 'a@c.us', case when random() < 0.2 then 'inbound' else 'outbound' end, 'text', 'queued',
          case when random() < 0.5 then $3::uuid end, case when random() < 0.5 then $1::uuid end,
          now() - random() * interval '3 days', case when random() < 0.1 then 'app' else 'api' end
        from generate_series(1, $4)`,
      [tenantId, id, pick(campaigns), pick([1, 1, 3, 20])],
    );
  else if (kind < 0.9)
    await client.query(
      `update messages set status = $2, sent_at = case when $3 then created_at + random() * interval '1 minute' end,
          delivered_at = case when $4 then created_at + random() * interval '2 minutes' end
        where tenant_id = $1 and ${some}`,
      [tenantId, pick(STATUSES), pick([true, false]), pick([true, false])],
    );
  else if (kind < 0.95)
    await client.query(`update messages set body = 'edited' where tenant_id = $1 and ${some}`, [tenantId]);
  else await client.query(`delete from messages where tenant_id = $1 and ${some}`, [tenantId]);
}

describe('the figures of messages', () => {
  it('are those of the rows at every moment, whoever folds, and whoever dies over it', async () => {
    const tenantId = await make.tenant();
    const sessions = [await make.session(tenantId), await make.session(tenantId)];
    const campaigns = [newId(), newId()];
    for (const id of campaigns)
      await owner.query(
        `insert into campaigns (tenant_id, id, type, content, metadata, created_by) values ($1, $2, 'text', '{}', '{}', $1)`,
        [tenantId, id],
      );
    let over = false;
    const taken = { folded: 0, rolledUp: 0, killedFolding: 0, killedRollingUp: 0 };
    const least = (): number => Math.min(...Object.values(taken));
    const work = async (): Promise<void> => {
      while (!over) {
        const [folded, rolledUp] = [
          await step('foldStats', pick([1, 10, 300])),
          await step('rollUpStats', pick([1, 10, 300])),
        ];
        taken.folded += folded;
        taken.rolledUp += rolledUp;
        if (folded + rolledUp === 0) await pause(5); // somebody else has the turn
      }
    };
    // A worker that is killed with its step done and not committed.
    const die = async (): Promise<void> => {
      while (!over) {
        const [of, { text }, params] = pick([
          ['killedFolding', STATS_STATEMENTS.foldStats, [20]],
          ['killedRollingUp', STATS_STATEMENTS.rollUpStats, [20, 0]],
        ] as const);
        const dying = await db.owner();
        dying.on('error', () => undefined);
        const { rows } = await dying.query<{ pid: number }>('select pg_backend_pid() as pid');
        await dying.query('begin');
        const { rows: done } = await dying.query<{ folded: number }>(text, [...params]);
        taken[of] += done[0]?.folded ?? 0;
        await owner.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
        await dying.end().catch(() => undefined);
      }
    };
    const writer = async (): Promise<void> => {
      const client = await db.owner();
      for (let i = 0; i < 100 || (i < 2_000 && least() < 50); i += 1)
        await somethingHappens(client, sessions, campaigns).catch((error: Error & { code?: string }) => {
          if (error.code !== '40P01') throw error; // two random statements in each other's way
        });
      await client.end();
    };
    const looker = await db.owner();
    const wrong: unknown[] = [];
    const look = async (): Promise<void> => {
      while (!over) wrong.push(...(await differences(looker, tenantId)));
    };
    const others = [work(), work(), die(), look()];
    await Promise.all([writer(), writer(), writer()]).finally(() => {
      over = true;
    });
    await Promise.all(others);
    expect(wrong).toEqual([]);
    expect(least()).toBeGreaterThanOrEqual(50);
    await foldAll();
    const left = await owner.query('select from message_stat_deltas union all select from message_stats_recent');
    expect(left.rowCount).toBe(0);
    expect(await differences(looker, tenantId)).toEqual([]);
    const { rows } = await owner.query<{ n: number }>('select count(*)::int as n from messages where tenant_id = $1', [
      tenantId,
    ]);
    expect((await figuresOf(doors.tenant, tenantId)).total).toBe(rows[0]?.n);
    await looker.end();
  });

  it('stay recent for a while, and are added up by one worker at a time, for whom nobody waits', async () => {
    const session = await make.session(await make.tenant());
    await make.message(session);
    const rollUp = () => doors.system.run<{ folded: number }>('rollUpStats', [100, 600]);
    await foldAll();
    await make.message(session);
    const other = await db.owner();
    await other.query('begin');
    await other.query(STATS_STATEMENTS.foldStats.text, [100]);
    expect(await step('foldStats', 100)).toBe(0);
    expect(await step('rollUpStats', 100)).toBe(0);
    await other.query('rollback');
    await other.end();
    expect(await step('foldStats', 100)).toBe(1);
    expect(await rollUp()).toEqual([{ folded: 0 }]);
    await owner.query(`update message_stats_recent set since = now() - interval '601 s' where tenant_id = $1`, [
      session.tenantId,
    ]);
    expect(await rollUp()).toEqual([{ folded: 1 }]);
    expect(await differences(owner, session.tenantId)).toEqual([]);
  });

  it('forget what a tenant that is gone has left behind', async () => {
    const tenantId = await make.tenant();
    const session = await make.session(tenantId);
    await make.message(session);
    await foldAll();
    await owner.query('update tenants set deleted_at = now() where id = $1', [tenantId]);
    await make.message(session);
    await owner.query('delete from messages where tenant_id = $1', [tenantId]);
    await owner.query('delete from tenants where id = $1', [tenantId]);
    await foldAll();
    const left = await owner.query(
      `select from message_stats where tenant_id = $1 union all select from message_stats_recent where tenant_id = $1
        union all select from message_stat_deltas where tenant_id = $1`,
      [tenantId],
    );
    expect(left.rowCount).toBe(0);
  });
});
