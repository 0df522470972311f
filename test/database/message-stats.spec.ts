import type { Client } from 'pg';
import { newId } from '../../src/common/ids';
import type { Actor } from '../../src/common/actor';
import { MessageStatsRepository } from '../../src/modules/messages/stats/message-stats.repository';
import { MessageStatsService, type Figures } from '../../src/modules/messages/stats/message-stats.service';
import { STATS_STATEMENTS } from '../../src/platform/database/stats-statements';
import { freshDatabase, type TestDatabase } from '../support/database';
import { Factories, type TestSession } from '../support/factories';
import { type Doors, openDoors } from './database.harness';
import { differences, manyMessages } from './message-stats.harness';

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

/** Folds until nothing is left. */
async function foldAll(): Promise<void> {
  for (;;) {
    const [row] = await doors.system.run<{ folded: number }>('foldStats', [5_000]);
    if (!row?.folded) return;
  }
}

/** The figures of a tenant in UTC, as its administrator reads them. */
function figuresOf(tenantId: string, question: Parameters<MessageStatsService['of']>[1] = {}): Promise<Figures> {
  const service = new MessageStatsService(new MessageStatsRepository(doors.tenant), {
    timeZoneOf: () => Promise.resolve('UTC'),
  } as never);
  const actor = { tenantId, id: newId(), role: 'TENANT_ADMIN' } as Actor;
  return service.of(actor, question).then(({ figures }) => figures);
}

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
    let folded = 0;
    const fold = async (): Promise<void> => {
      while (!over) {
        const [row] = await doors.system.run<{ folded: number }>('foldStats', [pick([1, 10, 300])]);
        folded += row?.folded ?? 0;
      }
    };
    // A worker that is killed with its fold done and not committed.
    let killed = 0;
    const dieFolding = async (): Promise<void> => {
      while (!over) {
        const dying = await db.owner();
        dying.on('error', () => undefined);
        const { rows } = await dying.query<{ pid: number }>('select pg_backend_pid() as pid');
        await dying.query('begin');
        const taken = await dying.query<{ folded: number }>(STATS_STATEMENTS.foldStats.text, [20]);
        killed += taken.rows[0]?.folded ?? 0;
        await owner.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
        await dying.end().catch(() => undefined);
      }
    };
    const writer = async (): Promise<void> => {
      const client = await db.owner();
      for (let i = 0; i < 100 || (i < 2_000 && Math.min(folded, killed) < 50); i += 1)
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
    const others = [fold(), fold(), dieFolding(), look()];
    await Promise.all([writer(), writer(), writer()]).finally(() => {
      over = true;
    });
    await Promise.all(others);
    expect(wrong).toEqual([]);
    expect(Math.min(folded, killed)).toBeGreaterThanOrEqual(50);
    await foldAll();
    expect((await owner.query('select from message_stat_deltas')).rowCount).toBe(0);
    expect(await differences(looker, tenantId)).toEqual([]);
    const { rows } = await owner.query<{ n: number }>('select count(*)::int as n from messages where tenant_id = $1', [
      tenantId,
    ]);
    expect((await figuresOf(tenantId)).total).toBe(rows[0]?.n);
    await looker.end();
  });

  it('give percentiles within 2 % of the true ones', async () => {
    const tenantId = await make.tenant();
    const session = await make.session(tenantId);
    for (let round = 0; round < 5; round += 1) {
      await manyMessages(owner, session, { count: 199 + 100 * round, hours: 5, senders: 3, times: 1000 });
      if (round % 2 === 0) await foldAll();
      const { rows } = await owner.query<Record<'sent50' | 'sent95' | 'there50' | 'there95', number>>(
        `select percentile_disc(0.5) within group (order by sent) as sent50,
            percentile_disc(0.95) within group (order by sent) as sent95,
            percentile_disc(0.5) within group (order by there) as there50,
            percentile_disc(0.95) within group (order by there) as there95
          from (select extract(epoch from sent_at - created_at)::float8 * 1000 as sent,
            extract(epoch from delivered_at - sent_at)::float8 * 1000 as there from messages where tenant_id = $1) m`,
        [tenantId],
      );
      const { acceptToSent, sentToDelivered } = await figuresOf(tenantId);
      const pairs = [
        [acceptToSent.medianMs, rows[0]?.sent50],
        [acceptToSent.p95Ms, rows[0]?.sent95],
        [sentToDelivered.medianMs, rows[0]?.there50],
        [sentToDelivered.p95Ms, rows[0]?.there95],
      ];
      for (const [told, truth] of pairs) expect(Math.abs((told ?? 0) / (truth ?? 0) - 1)).toBeLessThan(0.02);
    }
  });

  it('cost the same to read however many messages there are', async () => {
    const read = async (count: number): Promise<number> => {
      const tenantId = await make.tenant();
      const session = await make.session(tenantId);
      await manyMessages(owner, session, { count, hours: 48, senders: 2, times: 10 });
      await foldAll();
      await owner.query('vacuum analyze message_stats, message_stat_deltas');
      const asked: { text: string; params: unknown[] }[] = [];
      const queryOnce = (_tenant: string, text: string, params: unknown[]) => {
        asked.push({ text, params });
        return Promise.resolve([]);
      };
      const service = new MessageStatsService(new MessageStatsRepository({ queryOnce } as never), {
        timeZoneOf: () => Promise.resolve('America/Sao_Paulo'),
      } as never);
      const from = new Date(Date.now() - 3 * 24 * 3_600_000);
      for (const groupBy of [undefined, 'day', 'agent'] as const)
        await service.of({ tenantId, id: newId(), role: 'TENANT_ADMIN' } as Actor, { from, groupBy });
      let rows = 0;
      for (const { text, params } of asked) rows += await rowsRead(text, params);
      return rows;
    };
    // A table that is small yet is read whole, whatever is asked of it.
    await owner.query('set enable_seqscan = off');
    const [few, many] = [await read(10_000), await read(300_000)];
    await owner.query('reset enable_seqscan');
    // The spans fill up: the more messages, the fewer buckets are empty. There are not more of them.
    expect(few).toBeGreaterThan(1_000);
    expect(many).toBeLessThan(few * 2);
    expect(many).toBeLessThan(40_000);
  }, 120_000);

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
      `select from message_stats where tenant_id = $1 union all select from message_stat_deltas where tenant_id = $1`,
      [tenantId],
    );
    expect(left.rowCount).toBe(0);
  });
});

interface PlanNode {
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Relation Name'?: string;
  Plans?: PlanNode[];
}

/** How many rows the statement takes out of tables, those that it then leaves out among them. */
async function rowsRead(text: string, params: unknown[]): Promise<number> {
  const { rows } = await owner.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
    `explain (analyze, format json) ${text}`,
    params,
  );
  const of = (node: PlanNode): number => {
    const own = (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
    const below = (node.Plans ?? []).reduce((sum, each) => sum + of(each), 0);
    expect(node['Relation Name']).not.toBe('messages');
    return below + (node['Relation Name'] ? own : 0);
  };
  const [plan] = rows[0]?.['QUERY PLAN'] ?? [];
  return plan ? of(plan.Plan) : 0;
}
