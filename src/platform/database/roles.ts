import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { Client, type ClientBase } from 'pg';
import { ROLE_KINDS, roleName, type RoleKind } from './role-kinds';

/** How to reach the database as one of the service's roles. */
export interface RoleAccess {
  /** Address with the owner's credentials; host, port and database are taken from it. */
  ownerUrl: string;
  rolePrefix: string;
  /** Password of the three login roles. */
  appPassword: string;
}

/** The address of the same database for one of the roles. */
export function roleUrl({ ownerUrl, rolePrefix, appPassword }: RoleAccess, kind: RoleKind): string {
  const url = new URL(ownerUrl);
  url.username = roleName(rolePrefix, kind);
  url.password = encodeURIComponent(appPassword);
  return url.href;
}

/** Makes the roles that are missing and sets their password where it does not hold. Roles are the whole cluster's. */
export async function ensureRoles(owner: ClientBase, access: RoleAccess): Promise<void> {
  for (const kind of ROLE_KINDS) await whenNobodyElseDoes(() => ensureRole(owner, access, kind));
}

async function ensureRole(owner: ClientBase, access: RoleAccess, kind: RoleKind): Promise<void> {
  const role = roleName(access.rolePrefix, kind);
  await createRole(owner, role);
  if (!(await canLogIn(roleUrl(access, kind))))
    await owner.query(`alter role ${role} login password '${scramVerifier(access.appPassword)}'`);
  const { rows } = await owner.query<{ current: string }>('select current_database() as current');
  await owner.query(`grant connect on database "${rows[0]?.current}" to ${role}`);
  await owner.query(`grant usage on schema public to ${role}`);
}

const MAX_TRIES = 10;
const TRY_AGAIN_MS = 50;

/** Roles and databases are rows of the whole cluster: PostgreSQL refuses one of two that change the same one at once. */
async function whenNobodyElseDoes(work: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries === MAX_TRIES || !/concurrently (?:updated|deleted)/.test((error as Error).message)) throw error;
      await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS * tries));
    }
  }
}

async function createRole(owner: ClientBase, role: string): Promise<void> {
  const { rowCount } = await owner.query('select from pg_roles where rolname = $1', [role]);
  if (rowCount) return;
  // One query is one transaction: whoever finds the role later finds its time-outs too, which keep a forgotten transaction
  // or a runaway statement from holding locks for ever.
  await owner
    .query(
      `create role ${role} login nosuperuser nobypassrls nocreatedb nocreaterole noinherit;
      alter role ${role} set statement_timeout = '30s';
      alter role ${role} set idle_in_transaction_session_timeout = '60s'`,
    )
    .catch((error: Error & { code?: string }) => {
      if (error.code !== '42710' && error.code !== '23505') throw error; // another installation made it just now
    });
}

async function canLogIn(connectionString: string): Promise<boolean> {
  const client = new Client({ connectionString });
  try {
    await client.connect();
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === '28P01' || (error as { code?: string }).code === '28000') return false;
    if ((error as { code?: string }).code === '42501') return true; // no CONNECT yet: the password held
    throw error;
  } finally {
    await client.end();
  }
}

/** What PostgreSQL stores for a SCRAM-SHA-256 password (RFC 5803), so that the password itself never reaches a server log. */
function scramVerifier(password: string): string {
  const salt = randomBytes(16);
  const iterations = 4096;
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const hmac = (label: string) => createHmac('sha256', salted).update(label).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${hmac('Server Key').toString('base64')}`;
}
