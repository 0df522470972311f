import { createHash } from 'node:crypto';
import type { ClientBase } from 'pg';
import { ROLE_KINDS, type RoleKind, roleName } from './role-kinds';
import { GRANTS, OWNER_FUNCTIONS, PLATFORM_TABLES, type Work } from './grants';

// The InitPlan form keeps index plans and is evaluated once, not for each row; nullif because a setting that has ended is ''.
const POLICIES: Record<RoleKind, (column: string) => string> = {
  app: (column) => `${column} = (select nullif(current_setting('app.tenant_id', true), '')::uuid)`,
  batch: (column) =>
    `${column} = any ((select string_to_array(nullif(current_setting('app.tenant_id', true), ''), ',')::uuid[])::uuid[])`,
  system: () => 'true',
};

/**
 * Puts the wall on every table of the schema that has a tenant, whoever made it: row security enabled and forced, one
 * policy for each role, and the grants of grants.ts and no others. Runs after each migration, as the owner; touches only
 * what differs, a table at a time in one transaction, so that a running service never sees a table without its policy. A
 * table that is neither a tenant's nor listed as the platform's stops the migration.
 */
export async function raiseTenantWall(owner: ClientBase, rolePrefix: string): Promise<void> {
  const { rows } = await owner.query<Table>(TABLES);
  for (const table of rows) {
    const wanted = wallOf(table, rolePrefix);
    if (JSON.stringify(table.standing ?? []) === JSON.stringify(wanted.map((part) => part.mark)) && table.forced)
      continue;
    await owner.query('begin');
    await owner.query(`alter table ${table.name} enable row level security, force row level security`);
    // All of them: policies add up, so one that nobody here knows would be a hole.
    for (const name of table.policies ?? []) await owner.query(`drop policy "${name}" on ${table.name}`);
    for (const part of wanted) await raise(owner, table.name, part);
    await owner.query('commit');
  }
  for (const kind of ROLE_KINDS) await owner.query(`grant select on migrations to ${roleName(rolePrefix, kind)}`);
  for (const [signature, { role }] of Object.entries(OWNER_FUNCTIONS)) {
    await owner.query(`revoke all on function ${signature} from public`);
    if (role) await owner.query(`grant execute on function ${signature} to ${roleName(rolePrefix, role)}`);
  }
}

interface Table {
  name: string;
  tenant: boolean;
  forced: boolean;
  /** The policies that stand. */
  policies: string[] | null;
  /** Their marks, by name of the policy. */
  standing: string[] | null;
}

const TABLES = `
  select c.relname as name, c.relrowsecurity and c.relforcerowsecurity as forced,
    exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped) as tenant,
    (select array_agg(p.polname::text) from pg_policy p where p.polrelid = c.oid) as policies,
    (select array_agg(obj_description(p.oid, 'pg_policy') order by p.polname) from pg_policy p where p.polrelid = c.oid)
      as standing
  from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
    and c.relname <> 'migrations'
  order by 1`;

interface WallPart {
  name: string;
  role: string;
  rule: string;
  work: Work[] | null;
  /** Kept as the policy's comment: tells later whether it still is what it should be. */
  mark: string;
}

/** The parts of a table's wall, in the order of their names. */
function wallOf(table: Table, rolePrefix: string): WallPart[] {
  const platform = PLATFORM_TABLES.includes(table.name);
  const column = table.name === 'tenants' ? 'id' : 'tenant_id';
  if (!table.tenant && !platform && table.name !== 'tenants')
    throw new Error(`Table ${table.name} has no tenant_id and is not listed in PLATFORM_TABLES`);
  const parts = ROLE_KINDS.map((kind) => ({
    name: `wall_${kind}`,
    role: roleName(rolePrefix, kind),
    rule: platform && kind !== 'system' ? 'false' : POLICIES[kind](column),
    work: GRANTS[kind](table.name),
  }));
  // Migrations that change data run as the owner, whom forced row security would otherwise show nothing.
  const owner = { name: 'wall_owner', role: 'current_user', rule: 'true', work: null };
  return [...parts, owner]
    .map((part) => ({ ...part, mark: createHash('sha256').update(JSON.stringify(part)).digest('hex').slice(0, 16) }))
    .sort((a, b) => a.name.localeCompare(b.name));
}

async function raise(owner: ClientBase, table: string, { name, role, rule, work, mark }: WallPart): Promise<void> {
  await owner.query(`create policy ${name} on ${table} to ${role} using (${rule}) with check (${rule})`);
  await owner.query(`comment on policy ${name} on ${table} is '${mark}'`);
  if (work === null) return;
  await owner.query(`revoke all on ${table} from ${role}`);
  if (work.length > 0) await owner.query(`grant ${work.join(', ')} on ${table} to ${role}`);
}
