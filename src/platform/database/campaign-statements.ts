const CLOCK = 'One clock looks after the campaigns of every tenant.';

/** Lanes of campaigns are woken in the order in which everybody locks lanes. */
const WAKE = (from: string): string => `
  lane as (
    select l.tenant_id, l.session_id from lanes l
    where (l.tenant_id, l.session_id) in (select tenant_id, session_id from ${from}) and l.state <> 'closed'
    order by l.tenant_id, l.session_id for no key update),
  woken as (
    update lanes l set next_at = least(coalesce(l.next_at, 'infinity'), greatest(l.pace_at, clock_timestamp()))
    from lane where l.tenant_id = lane.tenant_id and l.session_id = lane.session_id)`;

/** Messages of the campaign `c` that wait, and those of which the outcome is not known yet. */
const QUEUED = `
  select from campaign_sessions s join messages m on m.tenant_id = s.tenant_id and m.session_id = s.session_id
    and m.campaign_id = s.campaign_id and m.status = 'queued'
  where s.tenant_id = c.tenant_id and s.campaign_id = c.id`;
const UNDER_WAY = `
  select from campaign_sessions s join messages m on m.tenant_id = s.tenant_id and m.session_id = s.session_id
    and (m.status = 'sending' or (m.status = 'unknown' and m.settle_at is not null)
      or (m.status = 'queued' and m.next_attempt_at is not null)) and m.campaign_id = s.campaign_id
  where s.tenant_id = c.tenant_id and s.campaign_id = c.id`;

/** What time does to campaigns, of all tenants alike; each takes at most $1 and answers how many it moved. */
export const CAMPAIGN_STATEMENTS = {
  startCampaigns: {
    reason: CLOCK,
    text: `
      with due as (
        select tenant_id, id from campaigns where status = 'scheduled' and scheduled_at <= statement_timestamp()
        order by id limit $1 for no key update skip locked),
      started as (
        update campaigns c set status = 'running', started_at = clock_timestamp() from due
        where c.tenant_id = due.tenant_id and c.id = due.id returning c.tenant_id, c.id),
      sessions as (
        update campaign_sessions s set running = true from started
        where s.tenant_id = started.tenant_id and s.campaign_id = started.id returning s.tenant_id, s.session_id),
      ${WAKE('sessions')}
      select count(*)::int as moved from started`,
  },
  lockRunningCampaigns: {
    reason: CLOCK,
    text: `select tenant_id, id from campaigns where status = 'running' and id > $2 order by id limit $1 for no key update skip locked`,
  },
  finishCampaigns: {
    reason: CLOCK,
    // Finished: every message was handed to WAHA or has ended. An outcome that is still asked for is neither. Runs after
    // lockRunningCampaigns in the same transaction: a new snapshot, so that no retry by hand is overlooked.
    text: `
      with due as (
        select c.tenant_id, c.id from campaigns c join unnest($1::uuid[], $2::uuid[]) as held(tenant_id, id) using (tenant_id, id)
        where c.status = 'running' and not exists (${QUEUED}) and not exists (${UNDER_WAY})),
      stopped as (
        update campaign_sessions s set running = false from due where s.tenant_id = due.tenant_id and s.campaign_id = due.id),
      moved as (
        update campaigns c set status = 'finished', finished_at = clock_timestamp() from due
        where c.tenant_id = due.tenant_id and c.id = due.id returning c.id)
      select count(*)::int as moved from moved`,
  },
  cancelRest: {
    reason: CLOCK,
    text: `
      with due as (
        select m.tenant_id, m.id, m.session_id from campaigns c
        join campaign_sessions s on s.tenant_id = c.tenant_id and s.campaign_id = c.id
        join messages m on m.tenant_id = s.tenant_id and m.session_id = s.session_id and m.campaign_id = s.campaign_id
          and m.status = 'queued'
        where c.clearing limit $1),
      lane as (
        select l.tenant_id, l.session_id from lanes l where (l.tenant_id, l.session_id) in (select tenant_id, session_id from due)
        order by l.tenant_id, l.session_id for no key update),
      moved as (
        update messages m set status = 'cancelled', next_attempt_at = null from due join lane using (tenant_id, session_id)
        where m.tenant_id = due.tenant_id and m.id = due.id and m.status = 'queued'
        returning m.tenant_id, m.id, m.attempts),
      noted as (
        insert into message_events (tenant_id, message_id, status, attempt, note)
        select tenant_id, id, 'cancelled', nullif(attempts, 0), 'campaign cancelled' from moved)
      select count(*)::int as moved from moved`,
  },
  campaignsCleared: {
    reason: CLOCK,
    // What is on its way may still come back into the queue: until it has ended, the rest is looked for.
    text: `
      with done as (
        update campaigns c set clearing = false where c.clearing and not exists (${QUEUED}) and not exists (${UNDER_WAY})
        returning c.id)
      select count(*)::int as moved from done`,
  },
  campaignsUnaccepted: {
    reason: CLOCK,
    // Nothing of them was answered with 202, nor sent. Each goes in its own tenant.
    text: `select tenant_id, id from campaigns where status = 'accepting' and accepting_until < statement_timestamp()
      order by id limit $1`,
  },
} as const;
