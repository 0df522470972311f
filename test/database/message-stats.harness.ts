import type { Client } from 'pg';
import type { Actor } from '../../src/common/actor';
import { newId } from '../../src/common/ids';
import { MessageStatsRepository } from '../../src/modules/messages/stats/message-stats.repository';
import { type Figures, MessageStatsService } from '../../src/modules/messages/stats/message-stats.service';
import { countedOf, figuresOf as rolledUpOf } from '../../src/platform/database/stats-statements';
import type { SystemDatabase } from '../../src/platform/database/system-database';
import type { TenantDatabase } from '../../src/platform/database/tenant-database';
import type { TestSession } from '../support/factories';

const NOBODY = `'00000000-0000-0000-0000-000000000000'::uuid`;

/** Counts the rows themselves, as the figures should. */
const COUNTED = `
  select date_trunc('hour', created_at, 'UTC') + floor(extract(minute from created_at) / 15) * interval '15 minutes' as at,
    session_id, campaign_id, created_by, direction, m.measure, count(*) as n
  from messages cross join lateral (values (status, true), ('to_sent', direction = 'outbound' and sent_at is not null),
    ('to_delivered', direction = 'outbound' and sent_at is not null and delivered_at is not null)) m(measure, has)
  where tenant_id = $1 and m.has group by 1, 2, 3, 4, 5, 6`;

/** What figures there are of each row: of all, by sender, and by sender with session or campaign. */
const KEPT = `
  select 'all' as breakdown, unnest('{15,60,180,1440,23040}'::int[]) as span, false as by_agent, false as by_session, false as by_campaign
  union all select 'agent', unnest('{15,60,180,1440,23040}'::int[]), true, false, false
  union all select 'session', unnest('{15,180,1440,23040}'::int[]), true, true, false
  union all select 'campaign', unnest('{15,180,1440,23040}'::int[]), true, false, true`;

const ROWS = `
  select breakdown, span, date_bin(span * interval '1 minute', at, '1970-01-01Z') as at,
    case when by_agent then coalesce(created_by, ${NOBODY}) else ${NOBODY} end as agent_id,
    case when by_session then session_id when by_campaign then coalesce(campaign_id, ${NOBODY}) else ${NOBODY} end as part_id,
    direction, measure, sum(n) as n
  from (${COUNTED}) c cross join (${KEPT}) k group by 1, 2, 3, 4, 5, 6, 7`;

/** What is not rolled up or not folded yet, as what it will be. */
const UNROLLED = `
  select tenant_id, at, session_id, campaign_id, agent_id, direction, measure, bucket, n from message_stats_recent
  where tenant_id = $1
  union all ${countedOf('message_stat_deltas')} and d.tenant_id = $1`;

const FIGURES = `
  select breakdown, span, at, agent_id, part_id, direction, measure, sum(n) as n
  from (select * from message_stats where tenant_id = $1 union all ${rolledUpOf(UNROLLED)}) f
    cross join lateral unnest(measures, buckets, counts) u(measure, bucket, n)
  group by 1, 2, 3, 4, 5, 6, 7 having sum(n) <> 0`;

/** In one statement, of one moment: where the figures with what is not in them yet differ from the rows. */
export async function differences(owner: Client, tenantId: string): Promise<unknown[]> {
  const { rows } = await owner.query<Record<string, unknown>>(
    `with figures as (${FIGURES}), counted as (${ROWS})
      (select * from figures except select * from counted) union all (select * from counted except select * from figures)`,
    [tenantId],
  );
  return rows;
}

/** Many messages in one statement, spread over so many hours up to now: all delivered, in between
 * 0.1 s and so many times that each. */
export async function manyMessages(
  owner: Client,
  { tenantId, id }: TestSession,
  { count, hours, senders, times }: { count: number; hours: number; senders: number; times: number },
): Promise<void> {
  const people = Array.from({ length: senders }, () => newId());
  await owner.query(
    `insert into messages (tenant_id, id, session_id, chat, direction, type, status, body, created_by, created_at, sent_at,
        delivered_at)
      select $1, gen_random_uuid(), $2, 'a@c.us', 'outbound', 'text', 'delivered', 'x', ($3::uuid[])[1 + i % $6], at, sent,
        sent + 0.1 * $7::float8 ^ random() * interval '1 second'
      from generate_series(1, $4::int) i,
        lateral (select now() - (i % ($5::int * 60)) * interval '1 minute' as at) a,
        lateral (select at + 0.1 * $7::float8 ^ random() * interval '1 second' as sent) s`,
    [tenantId, id, people, count, hours, senders, times],
  );
}

export type StatsStep = 'foldStats' | 'rollUpStats';

/** One step of the worker, whatever the age of what it takes; answers how many rows that were. */
export async function stepOf(system: SystemDatabase, statement: StatsStep, limit: number): Promise<number> {
  const [row] = await system.run<{ folded: number }>(statement, statement === 'foldStats' ? [limit] : [limit, 0]);
  return row?.folded ?? 0;
}

/** Folds, and rolls up unless told not to, until nothing is left. */
export async function foldAllOf(system: SystemDatabase, { andRollUp = true } = {}): Promise<void> {
  while ((await stepOf(system, 'foldStats', 5_000)) > 0);
  while (andRollUp && (await stepOf(system, 'rollUpStats', 5_000)) > 0);
}

/** The service for tenants of that time zone. */
export const statsIn = (tenant: TenantDatabase, timeZone: string): MessageStatsService =>
  new MessageStatsService(new MessageStatsRepository(tenant), {
    timeZoneOf: () => Promise.resolve(timeZone),
  } as never);

/** The figures of a tenant, as its administrator reads them. */
export async function figuresOf(tenant: TenantDatabase, tenantId: string): Promise<Figures> {
  const actor = { tenantId, id: newId(), role: 'TENANT_ADMIN' } as Actor;
  return (await statsIn(tenant, 'UTC').of(actor, {})).figures;
}
