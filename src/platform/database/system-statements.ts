import { KEY_STATEMENTS } from './key-statements';
import { AUDIT_STATEMENTS } from './audit-statements';
import { CAMPAIGN_STATEMENTS } from './campaign-statements';
import { CATCH_UP_STATEMENTS } from './catch-up-statements';
import { CHAT_STATEMENTS } from './chat-statements';
import { CLAIM_STATEMENTS } from './claim-statements';
import { FILE_STATEMENTS } from './file-statements';
import { STORAGE_STATEMENTS } from './storage-statements';
import { HEALING_STATEMENTS } from './healing-statements';
import { IMPORT_STATEMENTS } from './import-statements';
import { LANE_STATEMENTS } from './lane-statements';
import { LOGIN_STATEMENTS } from './login-statements';
import { MEDIA_STATEMENTS } from './media-statements';
import { MESSAGE_STATEMENTS } from './message-statements';
import { MOVE_STATEMENTS } from './move-statements';
import { SERVER_STATEMENTS } from './server-statements';
import { PURGE_STATEMENTS } from './purge-statements';
import { STATS_STATEMENTS } from './stats-statements';
import { TENANT_STATEMENTS } from './tenant-statements';
import { PURGE_TENANT_STATEMENTS } from './purge-tenant-statements';

/** A statement that crosses tenants: why it must, and its text. */
interface SystemStatementText {
  reason: string;
  text: string;
}

/**
 * Everything that runs across tenants, in one list: the role `system` runs these texts and no others. A new entry needs a
 * reason that says why no tenant is known yet, or why the work belongs to all of them.
 */
export const SYSTEM_STATEMENTS = {
  notify: {
    reason: 'Wakes the workers of other processes; carries no data.',
    text: `select pg_notify($1, '')`,
  },
  sessionByWahaName: {
    reason: "A webhook names WAHA's session: which tenant it belongs to, is the question.",
    text: `select tenant_id, id, waha_name, webhook_secret from sessions where waha_name = $1`,
  },
  sessionsOfServer: {
    reason: 'The reconciler compares all sessions of a WAHA server with what that server has.',
    // Not those that must be stopped on another first: nothing may start them yet.
    text: `select s.tenant_id, s.id, s.waha_name, s.desired, s.status, s.webhook_secret,
        s.leaving_server_id, s.config_put, s.config_seen, l.state as lane_state, l.refused_at is not null as refused,
        s.next_restart_at is null and s.health <> 'parked' as unplanned
      from sessions s join lanes l on l.tenant_id = s.tenant_id and l.session_id = s.id
      where s.server_id = $1 and (s.desired <> 'deleted' or s.status <> 'DELETED')
        and (s.desired = 'deleted' or s.leaving_server_id is null) order by s.tenant_id, s.id`,
  },
  sessionsWithEvents: {
    reason: 'The event worker serves the sessions of every tenant.',
    // A loose index scan, from the session served last: one look a session, however long its backlog, and nobody starves.
    text: `with recursive s as (
        (select tenant_id, session_id from webhook_events
          where status = 'pending' and (tenant_id, session_id) > ($2::uuid, $3::uuid) order by 1, 2 limit 1)
        union all
        select n.* from s, lateral (select tenant_id, session_id from webhook_events
          where status = 'pending' and (tenant_id, session_id) > (s.tenant_id, s.session_id) order by 1, 2 limit 1) n)
      select tenant_id, session_id from s limit $1`,
  },
  eventBacklog: {
    reason: 'Health shows the whole backlog.',
    text: `select (select count(*) from (select from webhook_events where status = 'pending' limit 10001) p)::int as pending,
      (select count(*) from (select from webhook_events where status = 'failed' limit 10001) f)::int as failed,
      (select extract(epoch from now() - min(received_at)) from (select received_at from webhook_events
        where status = 'pending' limit 10001) o)::int as oldest_s`,
  },
  queueDepth: {
    reason: 'Health shows the whole queue.',
    text: `select (select count(*) from (select from messages where status = 'queued' limit 10001) q)::int as queued,
      (select extract(epoch from now() - min(created_at)) from (select created_at from messages where status = 'queued'
        limit 10001) q)::int as oldest_s,
      (select count(*) from (select from messages where status = 'unknown' limit 10001) u)::int as unknown`,
  },
  ...TENANT_STATEMENTS,
  ...KEY_STATEMENTS,
  ...LOGIN_STATEMENTS,
  ...AUDIT_STATEMENTS,
  ...CAMPAIGN_STATEMENTS,
  ...CATCH_UP_STATEMENTS,
  ...CHAT_STATEMENTS,
  ...CLAIM_STATEMENTS,
  ...HEALING_STATEMENTS,
  ...IMPORT_STATEMENTS,
  ...LANE_STATEMENTS,
  ...MESSAGE_STATEMENTS,
  ...MEDIA_STATEMENTS,
  ...FILE_STATEMENTS,
  ...STORAGE_STATEMENTS,
  ...MOVE_STATEMENTS,
  ...PURGE_STATEMENTS,
  ...PURGE_TENANT_STATEMENTS,
  ...SERVER_STATEMENTS,
  ...STATS_STATEMENTS,
} as const satisfies Record<string, SystemStatementText>;

export type SystemStatement = keyof typeof SYSTEM_STATEMENTS;
