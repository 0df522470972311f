import { Injectable } from '@nestjs/common';
import { countedOf } from '../../../platform/database/stats-statements';
import { TenantDatabase } from '../../../platform/database/tenant-database';
import type { MessageStatus } from '../message-status';
import type { Piece, Stretch } from './stats-spans';

export const GROUPINGS = ['hour', 'day', 'session', 'campaign', 'agent'] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** What is counted under that which messages do not have: a campaign, somebody who sent them. */
export const NOBODY = '00000000-0000-0000-0000-000000000000';

/** What to read. */
export interface StatsQuestion {
  stretch: Stretch;
  /** The same stretch, cut so that no span lies in two groups. */
  pieces: Piece[];
  groupBy: Grouping | undefined;
  timeZone: string;
  /** Of that sender only. */
  createdBy: string | undefined;
  /** So many groups at most: those with the most messages. */
  limit: number;
}

/** One figure: of all (`total`) or of the group with that key. */
export interface StatsRow {
  total: boolean;
  key: string | null;
  direction: 'inbound' | 'outbound';
  /** A status, or a time that was taken. */
  measure: MessageStatus | 'to_sent' | 'to_delivered';
  n: number;
  /** Of a time that was taken: of how many it is known, and its buckets; null where of none. */
  timed: number | null;
  median: number | null;
  p95: number | null;
  /** How many groups there are, with those beyond the limit. */
  groups: number;
}

/** Keys as text. An hour is its beginning in UTC, a day its date. */
const KEYS: Record<Grouping, string> = {
  hour: `to_char(date_trunc('hour', at, zone) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`,
  day: `to_char(at at time zone zone, 'YYYY-MM-DD')`,
  session: 'session_id::text',
  campaign: 'campaign_id::text',
  agent: 'agent_id::text',
};

const COLUMNS = 'tenant_id, at, session_id, campaign_id, agent_id, direction, measure, bucket, n';

const SUMMED = `
  select false as total, key, direction, measure, bucket, sum(n) as n from counted where key is not null
  group by 2, 3, 4, 5 having sum(n) <> 0
  union all
  select true, null, direction, measure, bucket, sum(n) from counted group by 3, 4, 5 having sum(n) <> 0`;

/** The figures of one piece, whose parameters come behind the six of all: planned for its own bounds. */
function spanOf(index: number): string {
  const [span, from, to] = [7, 8, 9].map((first) => `$${first + 3 * index}`);
  return `select ${COLUMNS} from message_stats
    where tenant_id = $1 and span = ${span}::smallint and at >= ${from} and at < ${to}`;
}

// The figures, and beside them what has changed and is not folded in yet: of one and the same moment, so that nothing is
// counted twice or not at all. A percentile is the first bucket up to which as many have come.
const textOf = ({ groupBy, pieces }: StatsQuestion): string => `
  with counted as materialized (
    select ${groupBy ? KEYS[groupBy] : 'null::text'} as key, direction, measure, bucket, n
    from (
      ${pieces.map((_, i) => `${spanOf(i)} union all`).join(' ')}
      ${countedOf('message_stat_deltas')} and d.tenant_id = $1 and d.created_at >= $2 and d.created_at < $3) r
      cross join (select $4::text as zone) z
    where $5::uuid is null or agent_id = $5),
  summed as (${SUMMED}),
  placed as (
    select key, row_number() over (order by sum(n) desc, key) as place from summed
    where not total and measure not in ('to_sent', 'to_delivered') group by key),
  ranked as (
    select s.*, sum(n) filter (where bucket >= 0) over (partition by total, key, measure order by bucket) as up_to,
      sum(n) filter (where bucket >= 0) over (partition by total, key, measure) as of_all
    from summed s where total or key in (select key from placed where place <= $6))
  select total, key, direction, measure, sum(n)::float8 as n, (sum(n) filter (where bucket >= 0))::float8 as timed,
    min(bucket) filter (where bucket >= 0 and up_to >= 0.5 * of_all) as median,
    min(bucket) filter (where bucket >= 0 and up_to >= 0.95 * of_all) as p95,
    (select count(*)::int from placed) as groups
  from ranked group by 1, 2, 3, 4`;

/** Reads the figures of one tenant's messages. What it costs depends on spans, senders and sessions, not on the messages. */
@Injectable()
export class MessageStatsRepository {
  constructor(private readonly db: TenantDatabase) {}

  /** In no order. Nothing of what nobody was counted under. */
  figures(tenantId: string, question: StatsQuestion): Promise<StatsRow[]> {
    return this.db.queryOnce<StatsRow>(tenantId, textOf(question), paramsOf(tenantId, question));
  }
}

function paramsOf(tenantId: string, { pieces, stretch, timeZone, limit, createdBy }: StatsQuestion): unknown[] {
  const said = [tenantId, stretch.from, stretch.to, timeZone, createdBy ?? null, limit];
  return [...said, ...pieces.flatMap(({ span, from, to }) => [span, from, to])];
}
