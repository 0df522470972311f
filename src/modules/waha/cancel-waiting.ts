/** More would keep whoever deletes waiting, and a million longer than a statement may take. */
export const CANCELLED_AT_ONCE = 500;

/** Cancels at most $3 of what waits in a session that is deleted. */
export const CANCEL_WAITING = `
  with waiting as (
    (select id from messages where tenant_id = $1 and session_id = $2 and status = 'queued'
      union all
      select id from messages where tenant_id = $1 and session_id = $2 and status = 'scheduled') limit $3),
  ended as (
    update messages m set status = 'cancelled', next_attempt_at = null from waiting w
    where m.tenant_id = $1 and m.id = w.id and m.status in ('queued', 'scheduled') returning m.id, m.attempts)
  insert into message_events (tenant_id, message_id, status, attempt, note)
  select $1, id, 'cancelled', nullif(attempts, 0), 'session deleted' from ended returning message_id`;
