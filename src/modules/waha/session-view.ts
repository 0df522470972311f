import { LANE_SETTINGS } from './lane-settings';

/** What people see of a session `s`, with its lane `l`: one whose messages WAHA refuses is shown as parked. */
export const SESSION_COLUMNS = `s.id, s.server_id, s.leaving_server_id, s.needs_scan, s.name, s.waha_name, s.desired, s.status, s.phone, s.push_name,
  case when l.refused_at is not null and s.health = 'ok' then 'parked' else s.health end as health,
  case when l.refused_at is not null and s.health = 'ok' then 'WAHA refuses what is sent: ' || l.refused_for
    else s.health_reason end as health_reason,
  s.webhook_secret, s.metadata, s.restarts, s.last_inbound_at, s.last_ack_at, s.created_at, s.version,
  ${LANE_SETTINGS},
  case when l.day = today.day then l.day_sent else 0 end as sent_today,
  case when l.day = today.day then l.day_firsts else 0 end as firsts_today,
  (select count(*)::int from (select from messages m where m.tenant_id = s.tenant_id and m.session_id = s.id
    and m.status = 'queued' limit 10001) q) as queue_depth`;

/** Where that is. */
export const SESSION_TABLES = `from sessions s join lanes l on l.tenant_id = s.tenant_id and l.session_id = s.id
  join tenants t on t.id = s.tenant_id
  cross join lateral (select (now() at time zone coalesce(t.settings->>'time_zone', 'UTC'))::date as day) today`;
