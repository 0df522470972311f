import { AUDIT_COLUMNS, auditPlaceholders } from '../audit/audit-record';

const PLATFORMS = "WAHA servers are the platform's, and sessions of any tenant are on them.";

/** Sessions that take a place on server v: also those that WAHA must still forget. */
const TAKEN = `(select count(*)::int from sessions s where s.server_id = v.id
  and (s.desired <> 'deleted' or s.status <> 'DELETED'))`;
/** What people see of a server. */
const VIEW = `v.id, v.name, v.base_url, v.engine, v.version, v.status, v.status_reason, v.state, v.capacity, v.storage_group,
  v.from_config, v.last_seen_at, v.checked_at, v.created_at, v.version_no, ${TAKEN} as sessions`;
/** How many sessions a server without a bound is reckoned to take, where servers are compared. */
const USUAL_CAPACITY = 500;
const NOTED = (first: number, table: string) =>
  `noted as (insert into audit_logs (${AUDIT_COLUMNS}) select ${auditPlaceholders(first)} where exists (select from ${table}))`;

/** The pool of WAHA servers. Keys are sealed before they come here. */
export const SERVER_STATEMENTS = {
  registerServer: {
    reason: 'WAHA servers belong to the platform. When WAHA_BASE_URL changes, its server is still the same one.',
    // An address that was registered over the API is that server; it keeps its own key.
    text: `with moved as (update waha_servers set base_url = $2, accepts_since = clock_timestamp() where from_config and base_url <> $2
        and not exists (select from waha_servers where base_url = $2))
      insert into waha_servers (id, base_url, from_config)
      select $1, $2, true where not exists (select from waha_servers where from_config or base_url = $2)
      on conflict do nothing`,
  },
  noteServer: {
    reason: 'WAHA servers belong to the platform.',
    // Since when it is down, counts only as far as it was asked all the time: what happened while nobody asked is not known. One
    // that answers, whatever it says, is not down. Since when it accepts our calls: what it refused before may be sent anew.
    text: `update waha_servers set status = $2, status_reason = $3, engine = coalesce($4, engine),
        version = coalesce($5, version), checked_at = now(),
        last_seen_at = case when $2 = 'down' then last_seen_at else now() end,
        down_since = case when $2 <> 'down' then null
          when checked_at > now() - interval '3 minutes' then coalesce(down_since, now()) else now() end,
        accepts_since = case when $2 = 'up' and status <> 'up' then clock_timestamp() else accepts_since end
      where id = $1`,
  },
  serversInUse: {
    reason: PLATFORMS,
    text: `select id, base_url, api_key, from_config, state, status from waha_servers order by id`,
  },
  serversPage: {
    reason: PLATFORMS,
    text: `select ${VIEW} from waha_servers v where ($1::uuid is null or v.id < $1) order by v.id desc limit $2 offset $3`,
  },
  serversCount: { reason: PLATFORMS, text: `select count(*)::int as count from (select from waha_servers limit $1) v` },
  serverFigures: {
    reason: PLATFORMS,
    text: `select v.id, v.state, v.status, v.capacity, ${TAKEN} as sessions from waha_servers v order by v.id limit 1000`,
  },
  serverView: { reason: PLATFORMS, text: `select ${VIEW} from waha_servers v where v.id = $1` },
  serverSessions: {
    reason: PLATFORMS,
    // Of each kind at most $2: those that need a scan, and those that are on their way from here.
    text: `(select s.tenant_id, s.id, s.waha_name, 'needs_scan' as why from sessions s
        where s.server_id = $1 and s.needs_scan and s.desired <> 'deleted' order by s.tenant_id, s.id limit $2)
      union all
      (select s.tenant_id, s.id, s.waha_name, 'leaving' from sessions s
        where s.leaving_server_id = $1 and s.desired <> 'deleted' order by s.tenant_id, s.id limit $2)`,
  },
  serverInsert: {
    reason: PLATFORMS,
    // Of a repeated request nothing, and no second record.
    text: `with made as (
        insert into waha_servers (id, name, base_url, api_key, capacity, storage_group) values ($1, $2, $3, $4, $5, $6)
        on conflict (id) do nothing returning id),
      ${NOTED(7, 'made')} select id from made`,
  },
  serverLock: {
    reason: PLATFORMS,
    text: `select v.id, v.name, v.base_url, v.capacity, v.storage_group, v.state, v.from_config, v.version_no
      from waha_servers v where v.id = $1 for no key update`,
  },
  serverUpdate: {
    reason: PLATFORMS,
    // A key of null is left as it is.
    text: `with changed as (
        update waha_servers set name = $2, base_url = $3, api_key = coalesce($4, api_key), capacity = $5, storage_group = $6,
          state = $7, version_no = version_no + 1, updated_at = now(),
          accepts_since = case when $4::text is not null or base_url <> $3 then clock_timestamp() else accepts_since end
        where id = $1 returning id),
      ${NOTED(8, 'changed')} select id from changed`,
  },
  serverForget: {
    reason: PLATFORMS,
    // Sessions that WAHA has forgotten keep their history: it hangs on another server from now on, if there is one.
    text: `update sessions set server_id = $2 where server_id = $1 and desired = 'deleted' and status = 'DELETED'
      and leaving_server_id is null`,
  },
  serverDelete: {
    reason: PLATFORMS,
    text: `with gone as (delete from waha_servers where id = $1 returning id), ${NOTED(2, 'gone')} select id from gone`,
  },
  lockPlacement: {
    reason: 'Who places a session counts those of all tenants, one after the other.',
    text: `select pg_advisory_xact_lock(hashtextextended('waha placement', 0))`,
  },
  leastFull: {
    reason: PLATFORMS,
    // $1 a storage group or null for any, $2 the server that is left or null.
    text: `select v.id from waha_servers v cross join lateral ${TAKEN.replace('count(*)::int', 'count(*)::int as n')} t
      where v.state = 'active' and v.status = 'up' and ($1::text is null or v.storage_group = $1)
        and v.id is distinct from $2::uuid and (v.capacity is null or t.n < v.capacity)
      order by t.n::float8 / coalesce(v.capacity, ${USUAL_CAPACITY}), t.n, v.id limit 1`,
  },
} as const;
