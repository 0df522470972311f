import { Injectable } from '@nestjs/common';
import { type BREAKDOWNS, countedOf } from '../../../platform/database/stats-statements';
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
  /** Of which figures. */
  breakdown: keyof typeof BREAKDOWNS;
  /** The same stretch, cut into spans of that breakdown so that none lies in two groups. */
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

/** What a row counts under, and that as text: an hour is its beginning in UTC, a day its date. */
const KEYS: Record<Grouping, { key: string; text: string }> = {
  hour: {
    key: `date_trunc('hour', at, $10)`,
    text: `to_char(key at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`,
  },
  day: { key: `(at at time zone $10)::date`, text: `to_char(key, 'YYYY-MM-DD')` },
  session: { key: 'part_id', text: 'key::text' },
  campaign: { key: 'part_id', text: 'key::text' },
  agent: { key: 'agent_id', text: 'key::text' },
};
const ALL = { key: 'null::text', text: 'key' };

/** The part that a breakdown is by, in what is not rolled up into it yet. */
const PARTS = { all: 'null::uuid', agent: 'null::uuid', session: 'session_id', campaign: 'campaign_id' } as const;

// offset 0: each piece is looked up in the key, never all figures beside all pieces; and each row has its key worked out once.
const figuresBy = (key: string): string => `
  select f.key, f.direction, u.measure, u.bucket, u.n::float8 as n
  from unnest($7::smallint[], $8::timestamptz[], $9::timestamptz[]) as p(span, since, before)
    cross join lateral (
      select ${key} as key, direction, measures, buckets, counts from message_stats
      where tenant_id = $1 and breakdown = $4 and span = p.span and at >= p.since and at < p.before
        and ($5::uuid is null or agent_id = $5) offset 0) f
    cross join lateral unnest(f.measures, f.buckets, f.counts) as u(measure, bucket, n)`;

const restBy = (key: string, breakdown: StatsQuestion['breakdown']): string => `
  select ${key}, direction, measure, bucket, n
  from (
    select at, agent_id, ${PARTS[breakdown]} as part_id, direction, measure, bucket, n from message_stats_recent
    where tenant_id = $1 and at >= $2 and at < $3
    union all
    select at, agent_id, ${PARTS[breakdown]}, direction, measure, bucket, n from (
      ${countedOf('message_stat_deltas')} and d.tenant_id = $1 and d.created_at >= $2 and d.created_at < $3) d) r
  where $5::uuid is null or agent_id = $5`;

// The figures, and beside them what is not rolled up or not folded in yet: of one and the same moment, so that nothing is
// counted twice or not at all. A percentile is the first bucket up to which as many have come.
const textOf = (breakdown: StatsQuestion['breakdown'], { key, text }: { key: string; text: string }): string => `
  with counted as materialized (${figuresBy(key)} union all ${restBy(key, breakdown)}),
  summed as (
    select key, direction, measure, bucket, sum(n) as n from counted where key is not null
    group by 1, 2, 3, 4 having sum(n) <> 0),
  placed as (
    select key, row_number() over (order by sum(n) desc, key) as place from summed
    where measure not in ('to_sent', 'to_delivered') group by key),
  ranked as (
    select *, sum(n) filter (where bucket >= 0) over (partition by slot order by bucket rows unbounded preceding) as up_to,
      sum(n) filter (where bucket >= 0) over (partition by slot) as of_all
    from (
      select *, place * 3 + case measure when 'to_sent' then 1 when 'to_delivered' then 2 else 0 end as slot
      from (
        select place, direction, measure, bucket, n from summed join placed using (key) where place <= $6
        union all
        select 0, direction, measure, bucket, sum(n) from counted group by 2, 3, 4 having sum(n) <> 0) s) s),
  told as (
    select place, direction, measure, sum(n) as n, sum(n) filter (where bucket >= 0) as timed,
      min(bucket) filter (where bucket >= 0 and up_to >= 0.5 * of_all) as median,
      min(bucket) filter (where bucket >= 0 and up_to >= 0.95 * of_all) as p95
    from ranked group by 1, 2, 3)
  select place = 0 as total, ${text} as key, direction, measure, n, timed, median, p95,
    (select count(*)::int from placed) as groups
  from told left join placed using (place)`;

/** Reads the figures of one tenant's messages. What it costs depends on spans, senders and sessions, not on the messages. */
@Injectable()
export class MessageStatsRepository {
  constructor(private readonly db: TenantDatabase) {}

  /** In no order. Nothing of what nobody was counted under. */
  figures(tenantId: string, question: StatsQuestion): Promise<StatsRow[]> {
    const text = textOf(question.breakdown, question.groupBy ? KEYS[question.groupBy] : ALL);
    return this.db.queryOnce<StatsRow>(tenantId, text, paramsOf(tenantId, question));
  }
}

function paramsOf(tenantId: string, question: StatsQuestion): unknown[] {
  const { pieces, stretch, groupBy, timeZone, limit, createdBy, breakdown } = question;
  const spans = [pieces.map(({ span }) => span), pieces.map(({ from }) => from), pieces.map(({ to }) => to)];
  const all = [tenantId, stretch.from, stretch.to, breakdown, createdBy ?? null, limit, ...spans];
  return groupBy === 'hour' || groupBy === 'day' ? [...all, timeZone] : all;
}
