const ORIGIN = `timestamptz '1970-01-01 00:00:00+00'`;
const NOBODY = `'00000000-0000-0000-0000-000000000000'::uuid`;

/**
 * What figures are kept of, each by itself: of all messages of a tenant, of each sender's, and of these by session and by campaign. For
 * each of them the minutes of its spans, the longest first; all are counted from 1970 on (UTC).
 */
export const BREAKDOWNS = {
  all: [23040, 1440, 180, 60, 15],
  agent: [23040, 1440, 180, 60, 15],
  session: [23040, 1440, 180, 15],
  campaign: [23040, 1440, 180, 15],
} as const;

// The bounds of buckets grow by 1.019 / 0.981: their middles are within 1.9 % of what fell into them. A key of the figures,
// never to be changed without them.
const bucket = (from: string, to: string): string =>
  `ceil(ln(greatest(extract(epoch from ${to} - ${from})::float8 * 1000, 1)) / ln(1.019 / 0.981))::integer`;

/**
 * What changes of messages (rows of message_stat_deltas) count for, by quarters of an hour and all that they have. Each counts
 * under its status; once sent, with the time that it waited since it was accepted or since it was due (-1: sent on the phone, it
 * never waited here); once delivered, with the time that this took.
 */
export const countedOf = (deltas: string): string => `
  select d.tenant_id, date_bin(interval '15 minutes', d.created_at, ${ORIGIN}) as at, d.session_id,
    coalesce(d.campaign_id, ${NOBODY}) as campaign_id, coalesce(d.created_by, ${NOBODY}) as agent_id, d.direction,
    v.measure, v.bucket, d.n
  from ${deltas} d cross join lateral (values
    (d.status, 0, true),
    ('to_sent', case when d.source = 'app' then -1 else ${bucket('greatest(d.created_at, d.scheduled_at)', 'd.sent_at')} end,
      d.direction = 'outbound' and d.sent_at is not null),
    ('to_delivered', ${bucket('d.sent_at', 'd.delivered_at')}, d.direction = 'outbound' and d.sent_at is not null
      and d.delivered_at is not null)) v(measure, bucket, counts)
  where v.counts`;

const KEPT = Object.entries(BREAKDOWNS).flatMap(([name, spans]) => spans.map((span) => `('${name}', ${span})`));

/**
 * The figures that such rows add up to, as rows of message_stats: one for each breakdown, span, sender, part and direction, with what
 * is counted in it (measure, bucket and number, none of them 0) side by side.
 */
export const figuresOf = (counted: string): string => `
  select tenant_id, breakdown, span, at, agent_id, part_id, direction, array_agg(measure) as measures, array_agg(bucket) as buckets,
    array_agg(n::bigint) as counts
  from (
    select c.tenant_id, b.breakdown, b.span::smallint as span, date_bin(b.span * interval '1 minute', c.at, ${ORIGIN}) as at,
      case b.breakdown when 'all' then ${NOBODY} else c.agent_id end as agent_id,
      case b.breakdown when 'session' then c.session_id when 'campaign' then c.campaign_id else ${NOBODY} end as part_id,
      c.direction, c.measure, c.bucket, sum(c.n) as n
    from (${counted}) c cross join (values ${KEPT.join(', ')}) b(breakdown, span)
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9 having sum(c.n) <> 0) f
  group by 1, 2, 3, 4, 5, 6, 7`;

const FIGURE_KEY = 'tenant_id, breakdown, span, at, agent_id, part_id, direction';
export const FIGURE_COLUMNS = `${FIGURE_KEY}, measures, buckets, counts`;
const RECENT_KEY = 'tenant_id, at, session_id, campaign_id, agent_id, direction, measure, bucket';

/** What is counted in two rows of figures (f and excluded), added up. */
const ADDED = `
  select coalesce(array_agg(measure), '{}'), coalesce(array_agg(bucket), '{}'), coalesce(array_agg(n), '{}')
  from (
    select measure, bucket, sum(n)::bigint as n
    from unnest(f.measures || excluded.measures, f.buckets || excluded.buckets, f.counts || excluded.counts) u(measure, bucket, n)
    group by 1, 2 having sum(n) <> 0) a`;

/** One worker at a time folds or rolls up; nobody waits for it. */
const TURN = `turn as materialized (select pg_try_advisory_xact_lock(hashtextextended('message stats', 0)) as is_ours)`;
const IS_OURS = `(select is_ours from turn)`;
const REASON = 'One loop adds up what has changed of the messages, for whichever tenants.';

/** The statistics of messages. */
export const STATS_STATEMENTS = {
  statsLag: {
    reason: 'One figure for all tenants: how far folding is behind.',
    text: `select greatest(0, extract(epoch from clock_timestamp() - noted_at))::float8 as lag_s from message_stat_deltas
      order by id limit 1`,
  },
  foldStats: {
    reason: REASON,
    // Taken and counted in one statement: both or neither, so that a worker that dies has folded nothing. It may get the turn
    // after its snapshot was taken: what another has folded between is gone, and is not taken again. What a deleted tenant has
    // left behind goes.
    text: `
      with ${TURN},
      taken as (
        delete from message_stat_deltas d where ctid = any (array(
          select ctid from message_stat_deltas where ${IS_OURS} order by id limit $1))
        returning d.*),
      counted as (${countedOf('taken')}),
      summed as (
        select ${RECENT_KEY}, sum(n) as n from counted
        where exists (select from tenants t where t.id = counted.tenant_id)
        group by ${RECENT_KEY} having sum(n) <> 0),
      folded as (
        insert into message_stats_recent as r (${RECENT_KEY}, n)
        select * from summed order by 1, 2, 3, 4, 5, 6, 7, 8
        on conflict (${RECENT_KEY}) do update set n = r.n + excluded.n)
      select count(*)::int as folded from taken`,
  },
  rollUpStats: {
    reason: REASON,
    // The same, from one table into the other: so many rows at most ($1) that have been there for so long (seconds, $2). A row
    // that another has added to after the snapshot is taken as it is now, or left.
    text: `
      with ${TURN},
      taken as (
        delete from message_stats_recent r where ctid = any (array(
          select ctid from message_stats_recent
          where ${IS_OURS} and since <= now() - $2::float8 * interval '1 second' order by since limit $1))
        returning r.*),
      figures as (${figuresOf('select * from taken where n <> 0 and exists (select from tenants t where t.id = taken.tenant_id)')}),
      rolled_up as (
        insert into message_stats as f (${FIGURE_COLUMNS})
        select * from figures order by 1, 2, 3, 4, 5, 6, 7
        on conflict (${FIGURE_KEY}) do update set (measures, buckets, counts) = (${ADDED}))
      select count(*)::int as folded from taken`,
  },
} as const;
