// Lanes are locked before their messages, in the order in which everybody locks them; a closed one (session deleted) too.
const LANES_OF_DUE = `
  lane as (
    select l.tenant_id, l.session_id, l.state, l.firsts_closed_until from lanes l
    where (l.tenant_id, l.session_id) in (select tenant_id, session_id from due)
    order by l.tenant_id, l.session_id for no key update)`;

const WAKE = `
  woken as (
    update lanes l set next_at = least(coalesce(l.next_at, 'infinity'), greatest(l.pace_at, clock_timestamp()))
    from (select distinct tenant_id, session_id from moved) w
    where l.tenant_id = w.tenant_id and l.session_id = w.session_id and l.state <> 'closed')`;

/**
 * Whether the message is a first contact: its chat is not known, or what came before it waits there since WhatsApp refused it
 * (only of a lane that was ever refused: nobody else pays for the search). So nothing overtakes in its chat.
 * @param message alias of a row with tenant_id, session_id and chat
 * @param known whether its chat is known
 * @param closed the lane's firsts_closed_until
 */
export const firstContact = (message: string, known: string, closed: string): string => `(
  (not ${known} and ${message}.chat not like '%@g.us')
    or case when ${closed} is not null then exists (select from messages f where f.tenant_id = ${message}.tenant_id
      and f.session_id = ${message}.session_id and f.chat = ${message}.chat and f.status = 'queued' and f.first_contact)
    else false end)`;

/** The same of what is in the table already, and goes into the queue only now. */
export const firstContactNow = (message: string, closed: string): string =>
  firstContact(
    message,
    `exists (select from chats k where k.tenant_id = ${message}.tenant_id and k.session_id = ${message}.session_id
      and k.chat = ${message}.chat)`,
    closed,
  );

/** By when WhatsApp should have confirmed what is sent now. */
export const ACK_DUE = `clock_timestamp() + interval '10 minutes'`;

/**
 * What time does to messages, of all tenants alike. Each takes at most $1 of them and answers how many it moved. What is
 * due is found by statement_timestamp(), which does not change meanwhile: so the indexes end where the future begins.
 */
export const MESSAGE_STATEMENTS = {
  queueScheduled: {
    reason: 'One clock serves the scheduled messages of every tenant.',
    // Its place in the queue is that of its acceptance; its chat may have become known since.
    text: `
      with due as (
        select tenant_id, id, session_id from messages
        where status = 'scheduled' and scheduled_at <= statement_timestamp() order by scheduled_at limit $1),
      ${LANES_OF_DUE},
      moved as (
        update messages m set status = case when lane.state = 'closed' then 'cancelled' else 'queued' end,
          first_contact = ${firstContactNow('m', 'lane.firsts_closed_until')}
        from due join lane using (tenant_id, session_id)
        where m.tenant_id = due.tenant_id and m.id = due.id and m.status = 'scheduled'
        returning m.tenant_id, m.session_id, m.id, m.status),
      noted as (
        insert into message_events (tenant_id, message_id, status) select tenant_id, id, status from moved),
      ${WAKE}
      select count(*)::int as moved from moved`,
  },
  expireOverdue: {
    reason: 'One clock ends what was to be sent by now, of every tenant.',
    text: `
      with due as (
        select tenant_id, id, session_id from messages
        where status in ('scheduled', 'queued') and expires_at <= statement_timestamp() order by expires_at limit $1),
      ${LANES_OF_DUE},
      moved as (
        update messages m set status = 'expired', error_code = 'EXPIRED', retryable = true, next_attempt_at = null
        from due join lane using (tenant_id, session_id)
        where m.tenant_id = due.tenant_id and m.id = due.id and m.status in ('scheduled', 'queued')
          and m.expires_at <= clock_timestamp()
        returning m.tenant_id, m.session_id, m.id, m.attempts),
      noted as (
        insert into message_events (tenant_id, message_id, status, attempt, error_code)
        select tenant_id, id, 'expired', nullif(attempts, 0), 'EXPIRED' from moved),
      ${WAKE}
      select count(*)::int as moved from moved`,
  },
  stallUnacked: {
    reason: 'One clock looks for what WhatsApp never confirmed, of every tenant.',
    // The cause is what stands out at that moment.
    text: `
      with due as (
        select m.tenant_id, m.id, case when s.desired = 'deleted' then 'SESSION_DELETED'
            when s.status <> 'WORKING' then 'SESSION_NOT_WORKING' when s.health = 'deaf' then 'SESSION_DEAF'
            else 'NO_ACK' end as cause
        from messages m join sessions s on s.tenant_id = m.tenant_id and s.id = m.session_id
        where m.status = 'sent' and m.ack_due_at <= statement_timestamp()
        order by m.ack_due_at limit $1 for no key update of m skip locked),
      moved as (
        update messages m set status = 'stalled', error_code = due.cause, retryable = false, ack_due_at = null
        from due where m.tenant_id = due.tenant_id and m.id = due.id and m.status = 'sent' and m.ack_due_at is not null
        returning m.tenant_id, m.id, m.attempts, due.cause),
      noted as (
        insert into message_events (tenant_id, message_id, status, attempt, error_code)
        select tenant_id, id, 'stalled', nullif(attempts, 0), cause from moved)
      select count(*)::int as moved from moved`,
  },
  cancelOfDeleted: {
    reason: 'One clock cancels what still waits in sessions that were deleted, of every tenant.',
    // Their lanes are closed: nothing is added, and what is in flight ends by itself.
    text: `
      with due as (
        select w.* from sessions s cross join lateral (
          select m.tenant_id, m.id, m.session_id from messages m
          where m.tenant_id = s.tenant_id and m.session_id = s.id and m.status = 'queued'
          union all
          select m.tenant_id, m.id, m.session_id from messages m
          where m.tenant_id = s.tenant_id and m.session_id = s.id and m.status = 'scheduled') w
        where s.clearing limit $1),
      ${LANES_OF_DUE},
      moved as (
        update messages m set status = 'cancelled', next_attempt_at = null from due join lane using (tenant_id, session_id)
        where m.tenant_id = due.tenant_id and m.id = due.id and m.status in ('queued', 'scheduled')
        returning m.tenant_id, m.id, m.attempts),
      noted as (
        insert into message_events (tenant_id, message_id, status, attempt, note)
        select tenant_id, id, 'cancelled', nullif(attempts, 0), 'session deleted' from moved)
      select count(*)::int as moved from moved`,
  },
  deletedCleared: {
    reason: 'The same clock forgets those sessions in which nothing waits any more.',
    text: `
      with done as (
        update sessions s set clearing = false from (
          select tenant_id, id from sessions where clearing order by tenant_id, id limit $1 for no key update skip locked) held
        where s.tenant_id = held.tenant_id and s.id = held.id and not exists (select from messages m
          where m.tenant_id = s.tenant_id and m.session_id = s.id and m.status = 'queued')
          and not exists (select from messages m
          where m.tenant_id = s.tenant_id and m.session_id = s.id and m.status = 'scheduled')
        returning s.id)
      select count(*)::int as moved from done`,
  },
} as const;
