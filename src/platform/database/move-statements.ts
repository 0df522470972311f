import { AUDIT_COLUMNS, auditPlaceholders } from '../audit/audit-record';
import { withRoom } from './server-room';

const EVERY_TENANT = 'Sessions of every tenant leave a server that is drained or dead.';

/** Whether server v has been down for longer than $1 ms, and was asked until now. */
const DEAD = `(v.status = 'down' and v.down_since <= statement_timestamp() - $1::float8 * interval '1 ms'
  and v.checked_at > statement_timestamp() - interval '3 minutes')`;
/** Whether sessions of server v can go on elsewhere without being scanned again. */
const HAS_SIBLING = `exists (select from waha_servers o
  where o.id <> v.id and o.storage_group = v.storage_group and o.state = 'active' and o.status = 'up')`;

/**
 * Sessions that move from one server to another. A move is decided in one statement: the session is the new server's, and it is
 * written where it must be stopped first (`leaving_server_id`). Until that is done nothing starts it. `move_at` is when somebody
 * next sees to it; who takes it moves that time on, so that one worker does, and another if that one dies.
 */
export const MOVE_STATEMENTS = {
  serversToLeave: {
    reason: 'WAHA servers belong to the platform.',
    text: `select v.id from waha_servers v where v.state = 'draining' or ${DEAD}`,
  },
  movableSessions: {
    reason: EVERY_TENANT,
    text: `select s.tenant_id, s.id, s.server_id, v.storage_group from sessions s join waha_servers v on v.id = s.server_id
      where s.leaving_server_id is null and s.desired <> 'deleted' and (v.state = 'draining' or ${DEAD}) and ${HAS_SIBLING}
      order by s.tenant_id, s.id limit $2`,
  },
  moveSession: {
    reason: EVERY_TENANT,
    // Session before lane. The state of a session that moves is nobody's word but ours.
    text: `with moved as (
        update sessions set leaving_server_id = server_id, server_id = $4, move_kind = 'login', status = 'STOPPED',
          working_since = null, health = 'ok', health_reason = null, next_restart_at = null,
          moving_since = clock_timestamp(), move_at = clock_timestamp(), updated_at = now()
        where tenant_id = $1 and id = $2 and server_id = $3 and leaving_server_id is null and desired <> 'deleted'
        returning tenant_id, id),
      parked as (
        update lanes l set server_id = $4, state = case when l.state = 'open' then 'parked' else l.state end from moved
        where l.tenant_id = moved.tenant_id and l.session_id = moved.id),
      noted as (insert into audit_logs (${AUDIT_COLUMNS}) select ${auditPlaceholders(5)} where exists (select from moved))
      select id from moved`,
  },
  needScan: {
    reason: EVERY_TENANT,
    // What cannot move stays where it is. On a server that is dead its messages wait with the lane parked.
    text: `with stuck as (
        select s.tenant_id, s.id, ${DEAD} as dead from sessions s join waha_servers v on v.id = s.server_id
        where s.leaving_server_id is null and s.desired <> 'deleted' and not s.needs_scan
          and (v.state = 'draining' or ${DEAD}) and not ${HAS_SIBLING}
        order by s.tenant_id, s.id limit $2 for no key update of s skip locked),
      marked as (update sessions s set needs_scan = true, updated_at = now() from stuck
        where s.tenant_id = stuck.tenant_id and s.id = stuck.id returning s.tenant_id, s.id, stuck.dead),
      held as (select l.tenant_id, l.session_id from lanes l
        where (l.tenant_id, l.session_id) in (select tenant_id, id from marked where dead) and l.state = 'open'
        order by l.tenant_id, l.session_id for no key update of l),
      parked as (update lanes l set state = 'parked' from held
        where l.tenant_id = held.tenant_id and l.session_id = held.session_id)
      select tenant_id, id from marked`,
  },
  needNoScan: {
    reason: EVERY_TENANT,
    // The server is back in use, or the session was scanned on another.
    text: `update sessions s set needs_scan = false, move_kind = null, updated_at = now() from (
        select s.tenant_id, s.id from sessions s join waha_servers v on v.id = s.server_id
        where s.needs_scan and s.leaving_server_id is null and v.state = 'active' and not ${DEAD}
          and (s.status = 'WORKING' or s.move_kind is distinct from 'scan')
        for no key update of s skip locked) fine
      where s.tenant_id = fine.tenant_id and s.id = fine.id`,
  },
  takeMoves: {
    reason: EVERY_TENANT,
    // Of each server that is asked, the one that is left or else the new one, as many as it has room for ($4 to $6). Not before
    // every call that was begun under the old server must have ended ($2 ms), and no attempt is open.
    text: `with room as materialized (${withRoom(4)}),
      waiting as materialized (
        select s.tenant_id, s.id, s.move_at, coalesce(${DEAD}, false) as dead, room.room,
          row_number() over (partition by room.id order by s.move_at) as place
        from sessions s left join waha_servers v on v.id = s.leaving_server_id
          join room on room.id = coalesce(s.leaving_server_id, s.server_id)
        where s.move_at <= statement_timestamp() and s.desired <> 'deleted'
          and (s.leaving_server_id is null or (s.moving_since <= statement_timestamp() - $2::float8 * interval '1 ms'
            and not exists (select from lanes l where l.tenant_id = s.tenant_id and l.session_id = s.id and l.owner is not null)))),
      due as (
        select s.tenant_id, s.id, w.dead from waiting w join sessions s on s.tenant_id = w.tenant_id and s.id = w.id
        where w.place <= w.room and s.move_at <= statement_timestamp()
        order by w.move_at for no key update of s skip locked)
      update sessions s set move_at = clock_timestamp() + $3::float8 * interval '1 ms' from due
      where s.tenant_id = due.tenant_id and s.id = due.id
      returning s.tenant_id, s.id, s.server_id, s.leaving_server_id, s.move_kind, s.waha_name, s.webhook_secret, s.desired,
        due.dead`,
  },
  strays: {
    reason: 'A server that comes back may have sessions of any tenant that went on elsewhere.',
    text: `select tenant_id, id, waha_name, desired from sessions
      where waha_name = any($2::text[]) and server_id <> $1 and leaving_server_id is distinct from $1::uuid`,
  },
} as const;
