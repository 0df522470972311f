import { newId } from '../../common/ids';
import type { TenantRole } from '../../common/permissions';
import type { PlanName } from '../../common/plans';
import type { SystemDatabase } from '../../platform/database/system-database';
import type { TenantDatabase } from '../../platform/database/tenant-database';
import { PasswordHasher } from '../../platform/crypto/password-hasher';
import { TenantsService } from '../tenants/tenants.service';
import { UsersService } from '../users/users.service';

/** What the demo users are made with. */
export interface DemoOptions {
  /** Of all four. */
  password: string;
  /** Cost of bcrypt. */
  rounds: number;
  /** Of the tenant, where it is founded now. */
  plan: PlanName;
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

/** The demo tenant. */
export interface DemoTenant {
  id: string;
  /** Whether it was founded now. */
  founded: boolean;
}

/**
 * Makes the tenant `demo` with one user for each role. What is there already stays as it is, passwords included, so that
 * running it again, or twice at once, changes nothing.
 */
export async function seedDemo(db: TenantDatabase, system: SystemDatabase, options: DemoOptions): Promise<DemoTenant> {
  const users = UsersService.over(db, system);
  const tenant = await demoTenant(db, TenantsService.over(db, system), options.plan);
  const tenantId = tenant.id;
  const missing = await missingUsers(users, tenantId);
  const hasher = new PasswordHasher(options.rounds);
  const hashes = await Promise.all(missing.map(() => hasher.hash(options.password)));
  await db.transaction(tenantId, async (tx) => {
    for (const [index, user] of missing.entries())
      await users.createUnlessThere(tx, tenantId, { ...user, id: newId(), passwordHash: hashes[index] ?? '' });
  });
  return tenant;
}

async function missingUsers(users: UsersService, tenantId: string): Promise<DemoUser[]> {
  const emails = DEMO_USERS.map((user) => user.email);
  const present = await users.emailsOf(tenantId, emails);
  return DEMO_USERS.filter((user) => !present.includes(user.email));
}

/** The demo tenant, which is founded unless it is there. */
async function demoTenant(db: TenantDatabase, tenants: TenantsService, plan: PlanName): Promise<DemoTenant> {
  const found = await tenants.findDemo();
  if (found) return { id: found, founded: false };
  const id = newId();
  const founded = await db.transaction(id, (tx) => tenants.foundDemo(tx, { id, plan }));
  return founded ? { id, founded } : demoTenant(db, tenants, plan);
}
