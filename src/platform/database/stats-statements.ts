const ORIGIN = `timestamptz '1970-01-01 00:00:00+00'`;

/** The statistics of messages. */
export const STATS_STATEMENTS = {
  foldStats: {
    reason: 'One loop folds what has changed into the figures, for whichever tenants.',
    // Taken and counted in one statement: both or neither, so that a worker that dies has folded nothing. Another skips what
    // this one holds; rows of the figures are locked in one order. What a deleted tenant has left behind goes.
    text: `
      with due as (
        select tenant_id, id from message_stat_deltas order by id limit $1 for update skip locked),
      taken as (
        delete from message_stat_deltas d using due where d.tenant_id = due.tenant_id and d.id = due.id
        returning d.tenant_id, d.at, d.session_id, d.campaign_id, d.agent_id, d.direction, d.measure, d.bucket, d.n),
      summed as (
        select tenant_id, span, date_bin(span * interval '1 minute', at, ${ORIGIN}) as at, session_id, campaign_id, agent_id,
          direction, measure, bucket, sum(n) as n
        from taken cross join unnest('{15,60,1440,23040}'::smallint[]) as s(span)
        where exists (select from tenants t where t.id = taken.tenant_id)
        group by 1, 2, 3, 4, 5, 6, 7, 8, 9 having sum(n) <> 0),
      folded as (
        insert into message_stats as f (tenant_id, span, at, session_id, campaign_id, agent_id, direction, measure, bucket, n)
        select * from summed order by 1, 2, 3, 4, 5, 6, 7, 8, 9
        on conflict (tenant_id, span, at, session_id, campaign_id, agent_id, direction, measure, bucket)
          do update set n = f.n + excluded.n)
      select count(*)::int as folded from taken`,
  },
} as const;
