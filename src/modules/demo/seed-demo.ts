import { newId } from '../../common/ids';
import type { TenantRole } from '../../common/permissions';
import type { SystemDatabase } from '../../platform/database/system-database';
import type { TenantDatabase } from '../../platform/database/tenant-database';
import { DEMO_SLUG } from '../tenants/tenant-slug';
import { TenantsRepository } from '../tenants/tenants.repository';
import { PasswordHasher } from '../users/password-hasher';
import { UsersRepository } from '../users/users.repository';

/** What the demo users are made with. */
export interface DemoOptions {
  /** Of all four. */
  password: string;
  /** Cost of bcrypt. */
  rounds: number;
}

interface DemoUser {
  email: string;
  name: string;
  role: TenantRole;
}

const DEMO_USERS: readonly DemoUser[] = [
  { email: 'admin@demo.example', name: 'Demo Admin', role: 'TENANT_ADMIN' },
  { email: 'manager@demo.example', name: 'Demo Manager', role: 'MANAGER' },
  { email: 'agent@demo.example', name: 'Demo Agent', role: 'AGENT' },
  { email: 'auditor@demo.example', name: 'Demo Auditor', role: 'AUDITOR' },
];

/**
 * Makes the tenant `demo` with one user for each role. What is there already stays as it is, passwords included, so that
 * running it again, or twice at once, changes nothing.
 */
export async function seedDemo(db: TenantDatabase, system: SystemDatabase, options: DemoOptions): Promise<void> {
  const tenants = new TenantsRepository(db, system);
  const users = new UsersRepository(db, system);
  const tenantId = await demoTenant(db, tenants);
  const present = await users.findEmails(
    tenantId,
    DEMO_USERS.map((user) => user.email),
  );
  const missing = DEMO_USERS.filter((user) => !present.includes(user.email));
  const hasher = new PasswordHasher(options.rounds);
  const hashes = await Promise.all(missing.map(() => hasher.hash(options.password)));
  await db.transaction(tenantId, async (tx) => {
    for (const [index, user] of missing.entries())
      await users.insert(tx, tenantId, { ...user, id: newId(), passwordHash: hashes[index] ?? '' });
  });
}

/** The id of the demo tenant, which is made unless it is there. */
async function demoTenant(db: TenantDatabase, tenants: TenantsRepository): Promise<string> {
  const found = await tenants.findIdBySlug(DEMO_SLUG);
  if (found) return found;
  const id = newId();
  const made = await db.transaction(id, (tx) => tenants.insert(tx, { id, slug: DEMO_SLUG, name: 'Demo' }));
  // Taken in the meantime: another process is seeding as well.
  return made ? id : demoTenant(db, tenants);
}
