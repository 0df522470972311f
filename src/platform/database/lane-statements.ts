import { ACK_DUE } from './message-statements';
import { withRoom } from './server-room';

/** What a send that comes to light late still makes `sent`: WhatsApp has said nothing of it yet. */
const NOT_SENT = `m.status in ('queued', 'sending', 'unknown', 'failed', 'cancelled', 'expired', 'suppressed')`;

/** What settlement found: WhatsApp has the message, or more. */
const LEFT = `$4 in ('sent', 'delivered', 'read', 'played')`;

/**
 * The queue's statements after the claim: lanes of all tenants are driven and given back together, because a worker serves
 * every tenant. All take arrays, so that one text serves every batch size.
 */
export const LANE_STATEMENTS = {
  recordAttempts: {
    reason:
      'Before WAHA is called the attempt is on record, for whichever tenants are in the batch; a lost lease stops it.',
    text: `
      with given as (
        select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[])
          as g(tenant_id, session_id, id, epoch, wa_id)),
      held as (
        select given.* from lanes l join given on l.tenant_id = given.tenant_id and l.session_id = given.session_id
        where l.owner = $6::uuid and l.epoch = given.epoch and l.lease_until > clock_timestamp()
        order by l.tenant_id, l.session_id for no key update of l),
      open as (
        update messages m set status = 'sending', attempts = m.attempts + 1, attempted_at = clock_timestamp(),
          next_attempt_at = null, wa_id = held.wa_id, wa_id_reserved = held.wa_id is not null
        from held where m.tenant_id = held.tenant_id and m.id = held.id and m.status = 'queued'
          and (m.expires_at is null or m.expires_at > clock_timestamp())
        returning m.tenant_id, m.id, m.attempts, m.attempted_at),
      noted as (
        insert into message_events (tenant_id, message_id, at, status, attempt)
        select tenant_id, id, attempted_at, 'sending', attempts from open)
      select tenant_id, id, attempts from open`,
  },
  finishAttempts: {
    reason:
      'Outcomes of many tenants are written in one statement; a message moves only as the transition table allows.',
    // An echo or ack may have been faster than the answer: the history then has that step already, and whoever took the message
    // out of `sending` has counted the attempt.
    // Lanes are locked before their state is read: a session that is being deleted meanwhile has its lane closed by then.
    // What certainly sent nothing gives back its token and its place in the day. Where WhatsApp refuses new contacts, whatever
    // is for that chat waits with the first contacts, in its order. A message is called what WAHA calls it, whatever was reserved.
    text: `
      with given as (
        select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::smallint[], $6::text[], $7::text[],
            $8::text[], $9::text[], $10::int[], $11::text[], $13::int[])
          as g(tenant_id, session_id, id, epoch, attempt, status, wa_id, error_code, error, delay_ms, lane, firsts_closed_ms)),
      lane as (
        select l.tenant_id, l.session_id, l.state, l.owner, l.epoch, l.burst, l.tokens, l.tokens_at, l.per_minute, l.jitter_ms
        from lanes l where (l.tenant_id, l.session_id) in (select tenant_id, session_id from given)
        order by l.tenant_id, l.session_id for no key update of l),
      old as (
        select m.tenant_id, m.id, m.status as was,
          given.wa_id is not null and given.wa_id is distinct from m.wa_id and not exists (select from messages x
            where x.tenant_id = m.tenant_id and x.session_id = m.session_id and x.wa_id = given.wa_id) as renamed
        from messages m
        join given on m.tenant_id = given.tenant_id and m.id = given.id
        order by m.tenant_id, m.id for no key update of m),
      moved as (
        update messages m set
          status = case
            when given.status = 'sent' and (m.error_code = 'ACK_ERROR'
              or not ${NOT_SENT}) then m.status
            when given.status = 'queued' and lane.state = 'closed' then 'cancelled'
            else given.status end,
          wa_id = case when old.renamed then given.wa_id else m.wa_id end,
          wa_id_reserved = m.wa_id_reserved and not old.renamed,
          sent_at = case when given.status = 'sent' then coalesce(m.sent_at, clock_timestamp()) else m.sent_at end,
          burned = case when m.status <> 'sending' or given.lane in ('park', 'wait') or given.firsts_closed_ms is not null
            then m.burned else m.burned + 1 end,
          first_contact = m.first_contact or given.firsts_closed_ms is not null,
          next_attempt_at = case when given.status = 'queued' and given.lane = 'go' and lane.state <> 'closed'
            then clock_timestamp() + given.delay_ms * interval '1 ms' end,
          settle_at = case when given.status = 'unknown' and lane.state <> 'closed' then clock_timestamp() + given.delay_ms * interval '1 ms' end,
          ack_due_at = case when given.status = 'sent' and ${NOT_SENT} and m.error_code is distinct from 'ACK_ERROR' then ${ACK_DUE}
            else m.ack_due_at end,
          error_code = case when m.error_code = 'ACK_ERROR' or (given.status = 'sent' and not ${NOT_SENT}) then m.error_code
            else given.error_code end,
          error = given.error,
          retryable = case when m.error_code = 'ACK_ERROR' then m.retryable when given.status = 'failed' then given.error_code = 'ATTEMPTS_EXHAUSTED' end
        from given join old on old.tenant_id = given.tenant_id and old.id = given.id
          join lane on lane.tenant_id = given.tenant_id and lane.session_id = given.session_id
        where m.tenant_id = given.tenant_id and m.id = given.id and m.attempts = given.attempt
          and (m.status = 'sending' or (given.status = 'sent' and m.direction = 'outbound'))
        returning m.tenant_id, m.session_id, m.id, m.chat, old.was, m.status, given.attempt, given.error_code, given.error,
          given.firsts_closed_ms),
      refused as (
        update messages q set first_contact = true from moved
        where moved.firsts_closed_ms is not null and q.tenant_id = moved.tenant_id and q.session_id = moved.session_id
          and q.chat = moved.chat and q.status = 'queued' and q.id <> moved.id and not q.first_contact),
      noted as (
        insert into message_events (tenant_id, message_id, status, attempt, error_code, note)
        select tenant_id, id, status, attempt, error_code, error from moved where status <> was),
      freed as (
        select l.tenant_id, l.session_id, l.per_minute, l.jitter_ms, given.lane, given.delay_ms, given.firsts_closed_ms, g.day_back,
          case when given.error_code = 'WAHA_REFUSED' then coalesce(given.error, 'no reason given') end as refused_for,
          least(l.burst, l.tokens + g.back
            + extract(epoch from clock_timestamp() - l.tokens_at) * l.per_minute / 60.0) as tokens
        from lane l join given on l.tenant_id = given.tenant_id and l.session_id = given.session_id
        cross join lateral (select case when given.lane <> 'go' and given.status = 'queued' then 1 else 0 end as back,
          case when given.status = 'queued' then 1 else 0 end as day_back) g
        where l.owner = $12::uuid and l.epoch = given.epoch),
      paced as (
        select freed.*, clock_timestamp() + (case when freed.lane = 'wait' then freed.delay_ms
          else greatest(0, (1 - freed.tokens) * 60000 / per_minute) + random() * jitter_ms end) * interval '1 ms' as at
        from freed)
      update lanes l set owner = null, lease_until = null, tokens = paced.tokens, tokens_at = clock_timestamp(),
        pace_at = paced.at, next_at = paced.at, day_sent = greatest(0, l.day_sent - paced.day_back),
        firsts_closed_until = case when paced.firsts_closed_ms is null then l.firsts_closed_until
          else greatest(l.firsts_closed_until, clock_timestamp() + paced.firsts_closed_ms * interval '1 ms') end,
        state = case when paced.lane = 'park' and l.state = 'open' then 'parked' else l.state end,
        refused_at = case when paced.refused_for is not null then clock_timestamp() end, refused_for = paced.refused_for,
        refusals = case when paced.refused_for is not null then least(l.refusals + 1, 100)
          when paced.lane = 'go' then 0 else l.refusals end,
        strikes = case when paced.lane = 'wait' then least(l.strikes + 1, 20) else 0 end
      from paced where l.tenant_id = paced.tenant_id and l.session_id = paced.session_id`,
  },
  acceptRefused: {
    reason:
      'What a server refused to send, of whichever tenants, is tried anew once it accepts calls again, or after a pause.',
    // $2 ms, doubling with each refusal to $3. The lanes are opened by the next word that their sessions are WORKING.
    text: `
      with over as (
        select l.tenant_id, l.session_id from lanes l join waha_servers v on v.id = l.server_id
        where l.server_id = $1 and l.refused_at is not null and (l.refused_at < v.accepts_since
          or l.refused_at <= clock_timestamp() - interval '1 ms'
            * least($2::float8 * power(2, least(greatest(l.refusals, 1) - 1, 30)), $3::float8))
        order by l.tenant_id, l.session_id for no key update of l skip locked)
      update lanes l set refused_at = null, refused_for = null from over
      where l.tenant_id = over.tenant_id and l.session_id = over.session_id returning l.session_id`,
  },
  extendLeases: {
    reason: 'A worker keeps the lanes that it is driving, of whichever tenants.',
    text: `
      with held as (
        select l.tenant_id, l.session_id from lanes l
        join unnest($1::uuid[], $2::uuid[], $3::bigint[]) as g(tenant_id, session_id, epoch)
          on l.tenant_id = g.tenant_id and l.session_id = g.session_id
        where l.epoch = g.epoch and l.owner = $4::uuid
        order by l.tenant_id, l.session_id for no key update of l)
      update lanes l set lease_until = clock_timestamp() + $5::int * interval '1 ms'
      from held where l.tenant_id = held.tenant_id and l.session_id = held.session_id`,
  },
  lostLanes: {
    reason: 'Lanes of workers that died, of any tenant: the worker lock is free, or the lease ran out.',
    // The lock is transaction-scoped: it is held until reopenLanes has run, so that two sweepers do not do it twice.
    text: `
      with owners as (select distinct owner from lanes where owner is not null),
      dead as (select owner from owners where owner <> $1::uuid and pg_try_advisory_xact_lock(hashtextextended(owner::text, 0)))
      select l.tenant_id, l.session_id from lanes l
      where l.owner is not null and (l.lease_until < clock_timestamp() or l.owner in (select owner from dead))
      order by l.tenant_id, l.session_id for no key update of l skip locked`,
  },
  reopenLanes: {
    reason: 'A lost lane goes on elsewhere; what it had open becomes unknown and is settled by asking WAHA.',
    text: `
      with lost as (select * from unnest($1::uuid[], $2::uuid[]) as g(tenant_id, session_id)),
      doubtful as (
        update messages m set status = 'unknown', burned = m.burned + 1, error_code = 'WORKER_LOST',
          error = 'The worker died while this attempt was open',
          settle_at = case when lane.state <> 'closed' then clock_timestamp() end
        from lost join lanes lane on lane.tenant_id = lost.tenant_id and lane.session_id = lost.session_id
        where m.tenant_id = lost.tenant_id and m.session_id = lost.session_id and m.status = 'sending'
        returning m.tenant_id, m.id, m.attempts),
      noted as (
        insert into message_events (tenant_id, message_id, status, attempt, error_code)
        select tenant_id, id, 'unknown', attempts, 'WORKER_LOST' from doubtful)
      update lanes l set owner = null, lease_until = null, epoch = l.epoch + 1, next_at = clock_timestamp()
      from lost where l.tenant_id = lost.tenant_id and l.session_id = lost.session_id`,
  },
  takeUnsettled: {
    reason: 'Unknown outcomes of all tenants are settled by one loop, while their session works; one asks at a time.',
    // Of each server as many as it has room for.
    text: `
      with server as materialized (${withRoom(2)}),
      waiting as materialized (
        select m.tenant_id, m.id, m.settle_at, s.waha_name, s.server_id, s.forgot_at, server.room,
          row_number() over (partition by s.server_id order by m.settle_at) as place
        from messages m join sessions s on s.tenant_id = m.tenant_id and s.id = m.session_id
          join server on server.id = s.server_id
        where m.status = 'unknown' and m.settle_at <= statement_timestamp() and s.status = 'WORKING'),
      due as (
        select m.tenant_id, m.id, w.waha_name, w.server_id, w.forgot_at
        from waiting w join messages m on m.tenant_id = w.tenant_id and m.id = w.id
        where w.place <= w.room and m.status = 'unknown' and m.settle_at <= statement_timestamp()
        order by w.settle_at for no key update of m skip locked)
      update messages m set settle_at = clock_timestamp() + $1::int * interval '1 ms'
      from due where m.tenant_id = due.tenant_id and m.id = due.id
      returning m.tenant_id, m.id, m.chat, m.type, m.body, m.wa_id, m.wa_id_reserved, m.attempts, m.burned, m.attempted_at, m.error_code,
        extract(epoch from clock_timestamp() - m.attempted_at)::float8 * 1000 as age_ms,
        extract(epoch from clock_timestamp()
          - coalesce(message_doubted_at(m.tenant_id, m.id, m.attempts), m.attempted_at))::float8 * 1000 as doubt_ms,
        due.waha_name, due.server_id, coalesce(m.attempted_at <= due.forgot_at, false) as forgotten`,
  },
  putOffSettlement: {
    reason: 'WAHA could not say yet; it is asked again later, whatever the tenant.',
    text: `update messages set settle_at = clock_timestamp() + $4::int * interval '1 ms'
      where tenant_id = $1 and id = $2 and attempts = $3 and status = 'unknown' and settle_at is not null`,
  },
  settle: {
    reason: 'What WAHA said of an unknown outcome is written, and the lane woken, whatever the tenant.',
    // The lane is locked before its state is read, as in finishAttempts. WAHA does not say when a message was delivered or
    // read: what is known is that it has been by now.
    text: `
      with lane as (
        select l.tenant_id, l.session_id, l.state from lanes l where (l.tenant_id, l.session_id) in
          (select tenant_id, session_id from messages where tenant_id = $1 and id = $2) for no key update of l),
      moved as (
        update messages m set settle_at = null,
          status = case when $4 = 'queued' and lane.state = 'closed' then 'cancelled' else $4 end,
          wa_id = coalesce($5, m.wa_id), wa_id_reserved = m.wa_id_reserved and m.wa_id = coalesce($5, m.wa_id),
          next_attempt_at = case when $4 = 'queued' and lane.state <> 'closed' then clock_timestamp() + $9::int * interval '1 ms' end,
          sent_at = case when ${LEFT} then coalesce(m.sent_at, m.attempted_at) else m.sent_at end,
          delivered_at = case when $4 in ('delivered', 'read', 'played') then coalesce(m.delivered_at, clock_timestamp())
            else m.delivered_at end,
          read_at = case when $4 in ('read', 'played') then coalesce(m.read_at, clock_timestamp()) else m.read_at end,
          ack_due_at = case when $4 = 'sent' and not $8::boolean then ${ACK_DUE} end,
          error_code = case when ${LEFT} then null else coalesce($6, m.error_code) end,
          error = case when ${LEFT} then null else m.error end,
          retryable = case when $4 = 'failed' then true end
        from lane where m.tenant_id = $1 and m.id = $2 and m.attempts = $3 and m.status = 'unknown'
        returning m.tenant_id, m.session_id, m.id, m.status),
      noted as (
        insert into message_events (tenant_id, message_id, status, attempt, error_code, note)
        select tenant_id, id, status, $3, $6, $7 from moved)
      update lanes l set next_at = least(coalesce(l.next_at, 'infinity'), greatest(l.pace_at, clock_timestamp()))
      from moved where l.tenant_id = moved.tenant_id and l.session_id = moved.session_id`,
  },
} as const;
