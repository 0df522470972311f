import type { Client } from 'pg';
import type { Actor } from '../../src/common/actor';
import { newId } from '../../src/common/ids';
import {
  type Grouping,
  GROUPINGS,
  MessageStatsRepository,
} from '../../src/modules/messages/stats/message-stats.repository';
import { MessageStatsService } from '../../src/modules/messages/stats/message-stats.service';
import { freshDatabase, type TestDatabase } from '../support/database';
import { Factories, type TestSession } from '../support/factories';
import { type Doors, openDoors } from './database.harness';
import { figuresOf, foldAllOf, manyMessages, statsIn } from './message-stats.harness';

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

/** What rows count under, in the time zone $5. */
const ROW_KEYS: Record<Grouping, string> = {
  hour: `to_char(date_trunc('hour', created_at, $5) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`,
  day: `to_char(created_at at time zone $5, 'YYYY-MM-DD')`,
  session: 'session_id::text',
  campaign: 'campaign_id::text',
  agent: 'created_by::text',
};

/** Some messages of the last five days, sent by one of these or by nobody. */
async function messagesOf({ tenantId, id }: TestSession, agents: string[]): Promise<void> {
  await owner.query(
    `insert into messages (tenant_id, id, session_id, chat, direction, type, status, body, created_by, created_at)
      select $1, gen_random_uuid(), $2, 'a@c.us', 'outbound', 'text', 'queued', 'x', ($3::uuid[])[1 + (random() * 2)::int],
        now() - random() * interval '5 days' from generate_series(1, 60)`,
    [tenantId, id, agents],
  );
}

/** Some quarter of an hour of the last five days. */
const quarter = (share: number): Date =>
  new Date((Math.floor(Date.now() / 900_000) - Math.floor(share * 480)) * 900_000);

interface Asked {
  tenantId: string;
  timeZone: string;
  groupBy: Grouping | undefined;
  /** An AGENT that asks; undefined: the administrator. */
  agent: string | undefined;
  from: Date;
  to: Date;
}

/** Messages by group, as the service tells them, with all under `total`. */
async function told({ tenantId, timeZone, groupBy, agent, from, to }: Asked): Promise<Record<string, number>> {
  const actor = { tenantId, id: agent ?? newId(), role: agent ? 'AGENT' : 'TENANT_ADMIN' } as Actor;
  const { figures, groups } = await statsIn(doors.tenant, timeZone).of(actor, { from, to, groupBy });
  return { total: figures.total, ...Object.fromEntries(groups.map(({ key, figures: of }) => [String(key), of.total])) };
}

/** The same as the rows say. */
async function counted({ tenantId, timeZone, groupBy, agent, from, to }: Asked): Promise<Record<string, number>> {
  const { rows } = await owner.query<{ key: string | null; n: number }>(
    `select ${groupBy ? ROW_KEYS[groupBy] : `'total'`} as key, count(*)::int as n from messages
      where tenant_id = $1 and created_at >= $2 and created_at < $3 and ($4::uuid is null or created_by = $4)
        and $5::text is not null group by 1`,
    [tenantId, from, to, agent ?? null, timeZone],
  );
  const total = rows.reduce((sum, { n }) => sum + n, 0);
  return { total, ...Object.fromEntries(rows.map(({ key, n }) => [String(key), n])) };
}

describe('the figures of messages', () => {
  it.each(['UTC', 'America/Sao_Paulo', 'Asia/Kathmandu'])(
    'are read as the rows say by every group and for whoever asks, in %s',
    async (timeZone) => {
      const tenantId = await make.tenant();
      const sessions = [await make.session(tenantId), await make.session(tenantId)];
      const agents = [newId(), newId()];
      // Some are rolled up, some folded, some neither.
      for (const session of sessions) await messagesOf(session, agents);
      await foldAllOf(doors.system);
      for (const session of sessions) await messagesOf(session, agents);
      await foldAllOf(doors.system, { andRollUp: false });
      for (const session of sessions) await messagesOf(session, agents);
      const askers = [undefined, agents[0]].flatMap((agent) =>
        [undefined, ...GROUPINGS].map((groupBy) => ({ tenantId, timeZone, agent, groupBy })),
      );
      for (const asker of [...askers, ...askers, ...askers]) {
        const asked = { ...asker, from: quarter(0.5 + Math.random() / 2), to: quarter(Math.random() / 2) };
        expect(await told(asked)).toEqual(await counted(asked));
      }
    },
  );

  it('give percentiles within 2 % of the true ones', async () => {
    const tenantId = await make.tenant();
    const session = await make.session(tenantId);
    for (let round = 0; round < 5; round += 1) {
      await manyMessages(owner, session, { count: 199 + 100 * round, hours: 5, senders: 3, times: 1000 });
      if (round % 2 === 0) await foldAllOf(doors.system, { andRollUp: round > 0 });
      const { rows } = await owner.query<Record<'sent50' | 'sent95' | 'there50' | 'there95', number>>(
        `select percentile_disc(0.5) within group (order by sent) as sent50,
            percentile_disc(0.95) within group (order by sent) as sent95,
            percentile_disc(0.5) within group (order by there) as there50,
            percentile_disc(0.95) within group (order by there) as there95
          from (select extract(epoch from sent_at - created_at)::float8 * 1000 as sent,
            extract(epoch from delivered_at - sent_at)::float8 * 1000 as there from messages where tenant_id = $1) m`,
        [tenantId],
      );
      const { acceptToSent, sentToDelivered } = await figuresOf(doors.tenant, tenantId);
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
      await foldAllOf(doors.system);
      await owner.query('vacuum analyze message_stats, message_stats_recent, message_stat_deltas');
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
});

interface PlanNode {
  'Node Type': string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Relation Name'?: string;
  Plans?: PlanNode[];
}

/** How many rows the statement takes out of tables, those that it then leaves out among them, and how many figures out of those. */
async function rowsRead(text: string, params: unknown[]): Promise<number> {
  const { rows } = await owner.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
    `explain (analyze, format json) ${text}`,
    params,
  );
  const of = (node: PlanNode): number => {
    const own = (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
    const below = (node.Plans ?? []).reduce((sum, each) => sum + of(each), 0);
    expect(node['Relation Name']).not.toBe('messages');
    return below + (node['Relation Name'] || node['Node Type'] === 'Function Scan' ? own : 0);
  };
  const [plan] = rows[0]?.['QUERY PLAN'] ?? [];
  return plan ? of(plan.Plan) : 0;
}
