import { withRoom } from './server-room';

/** Catching up on what WAHA told nobody. */
export const CATCH_UP_STATEMENTS = {
  keepDoorOpen: {
    reason: 'Where nobody was at the door for longer than WAHA tries again, every tenant may have missed events.',
    // $1 ms: so long it may stand closed. Who notes the gap and who marks the sessions is one statement, done by one.
    text: `
      with was as (select open_at from webhook_door for update),
      kept as (update webhook_door set open_at = greatest(open_at, clock_timestamp())),
      gap as (select open_at - interval '45 minutes' as since from was where open_at < clock_timestamp() - $1::int * interval '1 ms'),
      marked as (
        update sessions s set catch_up_from = least(coalesce(s.catch_up_from, 'infinity'), gap.since),
          catch_up_at = clock_timestamp()
        from gap where s.desired = 'running' and s.status <> 'DELETED' returning 1)
      select count(*)::int as marked from marked`,
  },
  noteLongUnasked: {
    reason:
      'Events of any tenant get lost between WAHA and us without anybody noticing: each session is asked for now and then.',
    // Since a little before the last time: clocks differ, and what came at that moment may not have been listed yet.
    text: `
      with unasked as (
        select tenant_id, id, greatest(coalesce(caught_up_to, working_since) - interval '5 minutes',
          clock_timestamp() - interval '7 days') as since
        from sessions
        where status = 'WORKING' and desired = 'running' and leaving_server_id is null and catch_up_at is null
          and coalesce(caught_up_to, working_since) < clock_timestamp() - $1::int * interval '1 ms'
        limit 500 for no key update skip locked)
      update sessions s set catch_up_from = u.since, catch_up_at = clock_timestamp()
      from unasked u where s.tenant_id = u.tenant_id and s.id = u.id returning s.id`,
  },
  takeCatchUps: {
    reason: 'Workers catch up for the sessions of every tenant, one of them for each.',
    // Of each server as many as it has room for.
    text: `
      with due as (
        select d.* from (${withRoom(2)}) v cross join lateral (
          select tenant_id, id from sessions
          where server_id = v.id and catch_up_at <= statement_timestamp() and status = 'WORKING'
          order by catch_up_at limit v.room for no key update skip locked) d)
      update sessions s set catch_up_at = clock_timestamp() + $1::int * interval '1 ms' from due
      where s.tenant_id = due.tenant_id and s.id = due.id
      returning s.tenant_id, s.id as session_id, s.waha_name, s.server_id, s.catch_up_from, s.catch_up_at::text as mark,
        clock_timestamp() as until`,
  },
  finishCatchUp: {
    reason:
      'What was caught up is missing no longer, unless there is a new gap since: whoever notes one sets the time anew.',
    text: `update sessions set catch_up_from = null, catch_up_at = null, caught_up_to = greatest(caught_up_to, $4::timestamptz)
      where tenant_id = $1 and id = $2 and catch_up_at = $3::timestamptz`,
  },
  advanceCatchUp: {
    reason: 'What was caught up of a long gap is not read again, whatever becomes of the rest.',
    text: `update sessions set catch_up_from = $4::timestamptz, catch_up_at = clock_timestamp() + $5::int * interval '1 ms'
      where tenant_id = $1 and id = $2 and catch_up_at = $3::timestamptz returning catch_up_at::text as mark`,
  },
  goOnCatchingUp: {
    reason: 'A worker that is at it keeps the session for itself.',
    text: `update sessions set catch_up_at = clock_timestamp() + $4::int * interval '1 ms'
      where tenant_id = $1 and id = $2 and catch_up_at = $3::timestamptz returning catch_up_at::text as mark`,
  },
} as const;
