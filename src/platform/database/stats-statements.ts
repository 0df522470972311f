const ORIGIN = `timestamptz '1970-01-01 00:00:00+00'`;
const NOBODY = `'00000000-0000-0000-0000-000000000000'::uuid`;

// The bounds of buckets grow by 1.019 / 0.981: their middles are within 1.9 % of what fell into them. A key of the figures,
// never to be changed without them.
const bucket = (from: string, to: string): string =>
  `ceil(ln(greatest(extract(epoch from ${to} - ${from})::float8 * 1000, 1)) / ln(1.019 / 0.981))::integer`;

/**
 * What changes of messages (rows of message_stat_deltas) count for, as rows of figures. Each counts under its status; once sent,
 * with the time that it waited since it was accepted or since it was due (-1: sent on the phone, it never waited here); once
 * delivered, with the time that this took.
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

/** The statistics of messages. */
export const STATS_STATEMENTS = {
  statsLag: {
    reason: 'One figure for all tenants: how far folding is behind.',
    text: `select greatest(0, extract(epoch from clock_timestamp() - noted_at))::float8 as lag_s from message_stat_deltas
      order by id limit 1`,
  },
  foldStats: {
    reason: 'One loop folds what has changed into the figures, for whichever tenants.',
    // Taken and counted in one statement: both or neither, so that a worker that dies has folded nothing. Another skips what
    // this one holds; rows of the figures are locked in one order. What a deleted tenant has left behind goes.
    text: `
      with due as (
        select tenant_id, id from message_stat_deltas order by id limit $1 for update skip locked),
      taken as (
        delete from message_stat_deltas d using due where d.tenant_id = due.tenant_id and d.id = due.id
        returning d.*),
      counted as (${countedOf('taken')}),
      summed as (
        select tenant_id, span, date_bin(span * interval '1 minute', at, ${ORIGIN}) as at, session_id, campaign_id, agent_id,
          direction, measure, bucket, sum(n) as n
        from counted cross join unnest('{15,60,1440,23040}'::smallint[]) as s(span)
        where exists (select from tenants t where t.id = counted.tenant_id)
        group by 1, 2, 3, 4, 5, 6, 7, 8, 9 having sum(n) <> 0),
      folded as (
        insert into message_stats as f (tenant_id, span, at, session_id, campaign_id, agent_id, direction, measure, bucket, n)
        select * from summed order by 1, 2, 3, 4, 5, 6, 7, 8, 9
        on conflict (tenant_id, span, at, session_id, campaign_id, agent_id, direction, measure, bucket)
          do update set n = f.n + excluded.n)
      select count(*)::int as folded from taken`,
  },
} as const;
