/** What a session's restart is counted by, of $n: base and longest pause and the time that a call may take, in ms. */
const FAILED_PAUSE = `least($2::float8 * power(2, least(s.restart_attempts, 30)), $3::float8)`;
const DEAF_PAUSE = `$4::float8 * power(2, least(s.restart_attempts, 30))`;

/**
 * Sessions of all tenants that failed or hear nothing. `next_restart_at` is when a session's restart is due: who takes it moves
 * that time on in the same statement, so one worker restarts it, and if that one dies, another does when the time has come again.
 * Each statement locks rows of sessions only, and passes over those that somebody holds.
 */
export const HEALING_STATEMENTS = {
  findDeaf: {
    reason: 'One loop looks for the deaf sessions of every tenant.',
    // $1 ms without a word, $2 messages. What was sent before it last began to work counts no more: the connection was another.
    // Events that wait to be applied may be the word that is missed. What a server that is away last said of a session, nobody
    // knows to hold. Sent ones become stalled after ten minutes.
    text: `
      with late as materialized (
        select tenant_id, session_id, sent_at from messages
        where status = 'sent' and ack_due_at <= statement_timestamp() + interval '10 minutes' - $1::float8 * interval '1 ms'
          and sent_at <= statement_timestamp() - $1::float8 * interval '1 ms'),
      deaf as (
        select s.tenant_id, s.id from sessions s join waha_servers v on v.id = s.server_id
        where s.status = 'WORKING' and s.desired = 'running' and s.health = 'ok' and v.status = 'up'
          and not exists (select from webhook_events e
            where e.tenant_id = s.tenant_id and e.session_id = s.id and e.status = 'pending')
          and (select count(*) from (
            select 1 from late
              where late.tenant_id = s.tenant_id and late.session_id = s.id
                and late.sent_at > coalesce(greatest(s.last_ack_at, s.last_inbound_at, s.working_since), '-infinity')
            union all
            (select 1 from messages m
              where m.tenant_id = s.tenant_id and m.session_id = s.id and m.status = 'stalled'
                and m.sent_at > coalesce(greatest(s.last_ack_at, s.last_inbound_at, s.working_since), '-infinity')
                and m.sent_at <= statement_timestamp() - $1::float8 * interval '1 ms' limit $2::int)) unconfirmed) >= $2::int
        order by s.tenant_id, s.id for no key update of s skip locked)
      update sessions s set health = 'deaf', next_restart_at = clock_timestamp(), updated_at = now(),
        health_reason = 'WAHA reports WORKING, but for ' || ($1::float8 / 1000)::int || ' s no message was confirmed or received'
      from deaf where s.tenant_id = deaf.tenant_id and s.id = deaf.id
      returning s.tenant_id, s.id, s.server_id`,
  },
  forgetRestarts: {
    reason: 'One loop forgets the restarts of whichever sessions have worked since for long enough.',
    text: `
      update sessions s set restart_attempts = 0 from (
        select tenant_id, id from sessions
        where restart_attempts > 0 and status = 'WORKING' and health = 'ok'
          and working_since <= statement_timestamp() - $1::float8 * interval '1 ms'
        for no key update skip locked) stable
      where s.tenant_id = stable.tenant_id and s.id = stable.id`,
  },
  giveUpRestarts: {
    reason: 'One loop stops restarting what restarts do not heal, of every tenant.',
    text: `
      update sessions s set next_restart_at = null, updated_at = now(),
        health = case when s.status = 'FAILED' then 'parked' else 'deaf' end,
        health_reason = case when s.status = 'FAILED'
          then 'WAHA reports FAILED, and ' || s.restart_attempts || ' restarts in a row did not help: restart it, or log out and scan again'
          else 'Nothing is confirmed or received, and ' || s.restart_attempts
            || ' restarts in a row did not help: restart it, or log out and scan again' end
      from (
        select tenant_id, id from sessions
        where next_restart_at <= statement_timestamp() and desired = 'running'
          and ((status = 'FAILED' and restart_attempts >= $1::int)
            or (status = 'WORKING' and health = 'deaf' and restart_attempts >= $2::int))
        for no key update skip locked) spent
      where s.tenant_id = spent.tenant_id and s.id = spent.id
      returning s.tenant_id, s.id, s.server_id, s.health`,
  },
  lockRestarts: {
    reason: 'Who takes restarts counts those of all processes, one after the other.',
    text: `select pg_advisory_xact_lock(hashtextextended('session restarts', 0))`,
  },
  takeRestarts: {
    reason: 'One loop restarts the sessions of every tenant, of each server so many at once over all processes.',
    // Of each server that answers at most $1 are under way, whoever has taken them (lockRestarts comes before, in the same
    // transaction). The next is not due before the call of this one must have ended ($5).
    text: `
      with due as (
        select d.* from waha_servers v
        cross join lateral (select count(*)::int as n from sessions r
          where r.server_id = v.id and r.restarting_until is not null and r.restarting_until > statement_timestamp()) busy
        cross join lateral (
          select s.tenant_id, s.id from sessions s
          where s.server_id = v.id and s.next_restart_at <= statement_timestamp() and s.desired = 'running'
            and s.leaving_server_id is null
            and (s.status = 'FAILED' or (s.status = 'WORKING' and s.health = 'deaf'))
            and s.restart_attempts < case when s.status = 'FAILED' then $6::int else $7::int end
          order by s.next_restart_at limit greatest($1::int - busy.n, 0) for no key update of s skip locked) d
        where v.status = 'up')
      update sessions s set restart_attempts = s.restart_attempts + 1, restarts = s.restarts + 1, updated_at = now(),
        restarting_until = clock_timestamp() + $5::float8 * interval '1 ms',
        next_restart_at = clock_timestamp() + interval '1 ms' * greatest($5::float8,
          case when s.status = 'FAILED' then ${FAILED_PAUSE} else ${DEAF_PAUSE} end)
      from due where s.tenant_id = due.tenant_id and s.id = due.id
      returning s.tenant_id, s.id, s.server_id, s.waha_name, s.health, s.restart_attempts`,
  },
} as const;
