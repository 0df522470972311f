/** Whether a state says nothing of a trouble that is known: what is deaf, or given up, is restarted without being healed by it. */
const STAYS = `($3 in ('STARTING', 'STOPPED') or ($3 = 'WORKING' and health = 'deaf') or ($3 = 'FAILED' and health = 'parked'))`;

/** When a failed session is restarted, of the pauses and the restarts that it may have ($8, $9 ms, $10); at once ends it there. */
const NEXT_RESTART = `clock_timestamp() + case when restart_attempts >= $10::int then 0
  else least($8::float8 * power(2, least(restart_attempts, 30)), $9::float8) end * interval '1 ms'`;

/** Whether it works again after it did not, of a session that had a state before: what came meanwhile may have been told to nobody. */
const WORKS_AGAIN = `$3 = 'WORKING' and status <> 'WORKING' and status_at > '-infinity'`;
/**
 * Since when: since it was last heard of or last had nothing missing, and before that for as long as WAHA tries an event again
 * (up to 41 minutes, SessionConfig), but not more than a week.
 */
const LAST_HEARD = `greatest(clock_timestamp() - interval '7 days',
  least(status_at, caught_up_to, coalesce(greatest(last_inbound_at, last_ack_at), status_at)) - interval '45 minutes')`;

/**
 * Whether it was heard to work since WAHA was asked ($11: ms ago). Times of answers are whole seconds, so that this alone tells
 * that the answer was overtaken: taken for the newer one it would park the lane until the next round of the reconciler.
 */
const OVERTAKEN = `($3 <> 'WORKING' and status = 'WORKING'
  and coalesce(working_since > statement_timestamp() - $11::float8 * interval '1 ms', false))`;

/**
 * Notes a state ($3) of a session as WAHA told it ($4: when, $7: whether as an answer) and opens or parks the lane with it. A
 * session that is leaving a server keeps its own: what the old server says of it counts no more. A
 * session that shows a code to scan has lost its login, and what WAHA knew of before (`forgot_at`). A
 * failed session that should run gets the time of its next restart; one that failed already keeps the time that it has. A lane
 * that waited for its server (strikes), up to half a minute, waits no longer. One whose messages WAHA refuses stays parked for as
 * long as the session works as it did then.
 */
export const NOTE_STATE = `
  with noted as (
    update sessions set status = $3, phone = coalesce($5, phone), push_name = coalesce($6, push_name),
      status_at = case when $7 and status_at > $4 + interval '1 minute' then $4 else greatest(status_at, $4) end,
      working_since = case when $3 = 'WORKING' then coalesce(case when status = 'WORKING' then working_since end, clock_timestamp()) end,
      health = case when ${STAYS} then health else 'ok' end,
      health_reason = case when ${STAYS} then health_reason end,
      next_restart_at = case
        when $3 = 'FAILED' and desired = 'running' and health <> 'parked'
          then coalesce(case when status = 'FAILED' then next_restart_at end, ${NEXT_RESTART})
        when $3 <> 'FAILED' and health = 'deaf' and ${STAYS} then next_restart_at end,
      forgot_at = case when $3 = 'SCAN_QR_CODE' then clock_timestamp() else forgot_at end,
      catch_up_from = case when ${WORKS_AGAIN} then least(coalesce(catch_up_from, 'infinity'), ${LAST_HEARD}) else catch_up_from end,
      catch_up_at = case when ${WORKS_AGAIN} then clock_timestamp() else catch_up_at end,
      updated_at = now()
    where tenant_id = $1 and id = $2 and status <> 'DELETED' and leaving_server_id is null and not ${OVERTAKEN} and (status_at <= $4
      or ($7 and ((date_trunc('second', status_at) <= $4 and $3 <> 'STARTING') or status_at > $4 + interval '1 minute')))
    returning id, working_since)
  update lanes l set strikes = 0,
    state = case when $3 <> 'WORKING' or l.refused_at >= noted.working_since then 'parked' else 'open' end,
    refused_at = case when l.refused_at < noted.working_since then null else l.refused_at end,
    refused_for = case when l.refused_at < noted.working_since then null else l.refused_for end,
    pace_at = case when $3 = 'WORKING' and l.strikes > 0 then clock_timestamp() else l.pace_at end,
    next_at = case when $3 <> 'WORKING' then l.next_at when l.strikes > 0 then clock_timestamp()
      else greatest(l.pace_at, clock_timestamp()) end
  from noted where l.tenant_id = $1 and l.session_id = noted.id and l.state <> 'closed' returning l.session_id`;

/** Notes that something was heard: a deaf session is so no more. At most once a second, so that no row is worn out. */
export const noteHeard = (column: 'last_inbound_at' | 'last_ack_at'): string => `
  update sessions set ${column} = now(),
    health = case when health = 'deaf' then 'ok' else health end,
    health_reason = case when health = 'deaf' then null else health_reason end,
    restart_attempts = case when health = 'deaf' then 0 else restart_attempts end,
    next_restart_at = case when health = 'deaf' then null else next_restart_at end
  where tenant_id = $1 and id = $2
    and (${column} is null or ${column} < now() - interval '1 second' or health = 'deaf')`;

/** What should be ($3; null: as it is) by somebody's word, which ends all restarts and refusals and counts them anew. Its pause is $4 ms. */
export const SET_DESIRED = `
  with changed as (
    update sessions set desired = coalesce($3, desired), updated_at = now(), restart_attempts = 0, health = 'ok',
      health_reason = null, next_restart_at = case when coalesce($3, desired) = 'running' and status = 'FAILED'
        then clock_timestamp() + $4::float8 * interval '1 ms' end
    where tenant_id = $1 and id = $2 and desired <> 'deleted' returning tenant_id, id),
  asked as (
    update lanes l set refused_at = null, refused_for = null, refusals = 0 from changed
    where l.tenant_id = changed.tenant_id and l.session_id = changed.id and l.refused_at is not null)
  select id from changed`;
