import type { Client } from 'pg';
import { OWNER_FUNCTIONS, PLATFORM_TABLES } from '../../src/platform/database/grants';

/** Indexes that do not begin with tenant_id, and why each may. */
export const OTHER_INDEXES: Record<string, string> = {
  tenants_pk: 'the tenant itself',
  tenants_slug_key: 'a tenant is named by its slug before anybody is logged in',
  waha_servers_pk: 'of the platform',
  waha_servers_base_url_key: 'of the platform',
  waha_servers_from_config_key: 'of the platform',
  sessions_by_server: 'a server is compared with all sessions that are on it, of any tenant',
  sessions_leaving: 'the sessions of all tenants that leave a server',
  sessions_to_scan: 'one loop looks whether sessions of all tenants still need a scan',
  sessions_to_move: 'one loop moves the sessions of all tenants',
  users_by_email: 'logging in by email knows no tenant yet',
  sessions_waha_name_key: 'a webhook names the session and no tenant',
  lanes_ready: 'workers take due lanes of all tenants',
  lanes_ready_of_server: 'workers take due lanes of all tenants, of servers that have room',
  lanes_refused: 'a server that accepts calls again is asked anew for all tenants',
  lanes_owned: 'a dead worker had lanes of several tenants',
  idempotency_keys_to_purge: 'the purge is for all tenants at once',
  product_requests_to_purge: 'the purge is for all tenants at once',
  logins_to_purge: 'the purge is for all tenants at once',
  api_keys_by_hash: 'a request brings its key and names no tenant',
  api_keys_by_previous_hash: 'a request brings its key and names no tenant',
  login_failures_pk: 'of the platform: an account is an email, whoever has it',
  login_failures_to_purge: 'of the platform',
  tenant_purges_pk: 'of the platform',
  audit_policy_pk: 'of the platform',
  webhook_door_pk: 'of the platform',
  sessions_to_catch_up_of_server: 'one loop catches up for the sessions of all tenants, of servers that have room',
  sessions_to_catch_up: 'one loop catches up for the sessions of all tenants',
  webhook_events_to_purge: 'the purge is for all tenants at once',
  webhook_events_failed: 'the purge and the backlog are for all tenants at once',
  sessions_restarting: 'the restarts of all tenants are bounded by their server',
  sessions_to_restart: 'one loop restarts the failed and deaf sessions of all tenants',
  messages_to_settle: 'one loop settles the unknown outcomes of all tenants',
  chats_hidden: 'one loop asks WAHA for the phones of the hidden ids of all tenants',
  imports_due: 'one loop looks after the imports of all tenants',
  imports_ended: 'the purge is for all tenants at once',
  campaigns_open: 'one clock looks after the campaigns of all tenants',
  message_stat_deltas_oldest: 'one loop folds what has changed of all tenants',
  message_stats_recent_oldest: 'one loop rolls up the recent figures of all tenants',
  messages_scheduled: 'one clock queues the scheduled messages of all tenants',
  messages_expiring: 'one clock ends the overdue messages of all tenants',
  object_removals_due: 'one loop removes the unkept objects of all tenants',
  messages_unacked: 'one clock looks for the unconfirmed messages of all tenants',
};

interface Table {
  name: string;
  tenant: boolean;
  uuid: boolean;
  walled: boolean;
  policies: { name: string; role: string; rule: string; check: string | null }[];
  open: boolean;
}

const TABLES = `
  select c.relname as name,
    exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped) as tenant,
    exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and a.atttypid = 'uuid'::regtype
      and a.attnotnull) as uuid,
    c.relrowsecurity and c.relforcerowsecurity as walled,
    coalesce((select json_agg(json_build_object('name', p.polname, 'role', (select string_agg(rolname, ',') from pg_roles
        where oid = any (p.polroles)), 'rule', pg_get_expr(p.polqual, c.oid), 'check', pg_get_expr(p.polwithcheck, c.oid)))
      from pg_policy p where p.polrelid = c.oid), '[]') as policies,
    exists (select from aclexplode(c.relacl) where grantee = 0) as open
  from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'f', 'm') and not c.relispartition
    and c.relname <> 'migrations' order by 1`;

/** First column of each index, as text; null for an expression. */
const INDEXES = `
  select t.relname as table, i.relname as name, x.indisprimary as primary,
    (select attname from pg_attribute where attrelid = t.oid and attnum = x.indkey[0]) as first
  from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
  where t.relnamespace = 'public'::regnamespace and t.relname <> 'migrations' and not t.relispartition order by 1, 2`;

const FOREIGN_KEYS = `
  select c.conname as name, t.relname as table, f.relname as target,
    (select attname from pg_attribute where attrelid = t.oid and attnum = c.conkey[1]) as first,
    (select attname from pg_attribute where attrelid = f.oid and attnum = c.confkey[1]) as target_first
  from pg_constraint c join pg_class t on t.oid = c.conrelid join pg_class f on f.oid = c.confrelid
  where c.contype = 'f' and t.relnamespace = 'public'::regnamespace and not t.relispartition order by 1`;

/** What passes row security by: enum types (their = is not leakproof), views of the owner, functions of the owner. */
const PASSERS_BY = `
  select 'type ' || typname || ': is a PostgreSQL enum' as fault from pg_type
    where typtype = 'e' and typnamespace = 'public'::regnamespace
  union all select 'view ' || relname || ': is read with the rights of its owner' from pg_class
    where relkind = 'v' and relnamespace = 'public'::regnamespace
      and not coalesce(reloptions @> array['security_invoker=true'], false)
  union all select 'partition ' || relname || ': has rights of its own, past the wall of its table' from pg_class
    where relispartition and relkind = 'r' and relnamespace = 'public'::regnamespace
      and exists (select from aclexplode(relacl) where grantee <> relowner)
  union all select 'function ' || proname || ': runs with the rights of its owner' from pg_proc
    where prosecdef and pronamespace = 'public'::regnamespace and oid::regprocedure::text <> all ($1::text[])
  union all select 'function ' || f || ': everybody (PUBLIC) may call it' from unnest($1::text[]) f
    where exists (select from pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))
      where oid = to_regprocedure(f) and grantee = 0)
  union all select 'function ' || f || ': is on the list of owner functions and does not exist, or not so' from unnest($1::text[]) f
    where not exists (select from pg_proc where oid = to_regprocedure(f) and prosecdef)
  order by 1`;

/** What is wrong with the wall between the tenants in this database, a line for each fault; none when it stands. */
export async function schemaFaults(owner: Client, rolePrefix: string): Promise<string[]> {
  const { rows: tables } = await owner.query<Table>(TABLES);
  const tenants = new Set(tables.filter(({ tenant }) => tenant).map(({ name }) => name));
  const { rows: passersBy } = await owner.query<{ fault: string }>(PASSERS_BY, [Object.keys(OWNER_FUNCTIONS)]);
  return [
    ...tables.flatMap((table) => tableFaults(table, rolePrefix)),
    ...(await keyFaults(owner, tenants)),
    ...(await indexFaults(owner, tenants)),
    ...passersBy.map(({ fault }) => fault),
  ];
}

function tableFaults(table: Table, rolePrefix: string): string[] {
  const platform = PLATFORM_TABLES.includes(table.name);
  const faults = policyFaults(table, rolePrefix, platform);
  if (!table.walled) faults.push('row security is not enabled and forced');
  if (table.open) faults.push('everybody (PUBLIC) has rights on it');
  if (!table.tenant && !platform && table.name !== 'tenants') faults.push('has no tenant_id, not in PLATFORM_TABLES');
  if (table.tenant && platform) faults.push('has a tenant_id and is in PLATFORM_TABLES');
  if (table.tenant && !table.uuid) faults.push('tenant_id is not uuid not null');
  return faults.map((fault) => `${table.name}: ${fault}`);
}

function policyFaults({ name, policies }: Table, rolePrefix: string, platform: boolean): string[] {
  const column = name === 'tenants' ? 'id' : 'tenant_id';
  const rules: Record<string, RegExp> = platform
    ? { app: /^false$/, batch: /^false$/, system: /^true$/ }
    : {
        app: new RegExp(`^\\(${column} = \\( SELECT .*current_setting\\('app.tenant_id'`),
        batch: new RegExp(`^\\(${column} = ANY .*current_setting\\('app.tenant_id'`),
        system: /^true$/,
      };
  const faults = Object.entries(rules).flatMap(([kind, rule]) => {
    const mine = policies.filter(({ role }) => role?.split(',').includes(`${rolePrefix}_${kind}`));
    const right = mine.length === 1 && mine.every((each) => rule.test(each.rule) && each.check === each.rule);
    return right ? [] : [`has not exactly its one policy for the role ${kind}`];
  });
  // A policy for nobody in particular holds for everybody, and policies add up.
  return policies.some(({ role }) => role === null) ? [...faults, 'has a policy for everybody'] : faults;
}

async function keyFaults(owner: Client, tenants: Set<string>): Promise<string[]> {
  const { rows } =
    await owner.query<Record<'name' | 'table' | 'target' | 'first' | 'target_first', string>>(FOREIGN_KEYS);
  const wrong = rows.filter(({ table, target, first, target_first }) => {
    if (target === 'tenants') return first !== 'tenant_id' || target_first !== 'id';
    if (!tenants.has(table) || !tenants.has(target)) return false;
    return first !== 'tenant_id' || target_first !== 'tenant_id';
  });
  return wrong.map(({ table, name }) => `${table}: foreign key ${name} does not begin with tenant_id`);
}

async function indexFaults(owner: Client, tenants: Set<string>): Promise<string[]> {
  const { rows } = await owner.query<{ table: string; name: string; primary: boolean; first: string | null }>(INDEXES);
  const faults = rows
    .filter(({ first, name }) => first !== 'tenant_id' && !(name in OTHER_INDEXES))
    .map(({ table, name }) => `${table}: index ${name} does not begin with tenant_id`);
  const keyed = new Set(
    rows.filter(({ primary, first }) => primary && first === 'tenant_id').map(({ table }) => table),
  );
  for (const table of tenants)
    if (!keyed.has(table)) faults.push(`${table}: primary key does not begin with tenant_id`);
  const names = new Set(rows.map(({ name }) => name));
  for (const name of Object.keys(OTHER_INDEXES))
    if (!names.has(name)) faults.push(`${name}: is on the list of other indexes and does not exist`);
  return faults;
}
