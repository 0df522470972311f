import { hash } from 'bcrypt';
import type { Client } from 'pg';
import { newId } from '../../src/common/ids';
import type { TenantRole } from '../../src/common/permissions';

/** Somebody who can log in, with the tenant that was made for them. */
export interface TestAccount {
  tenantId: string;
  tenantSlug: string;
  userId: string;
  email: string;
  password: string;
}

/** What an account is made with; each has a default. */
export interface AccountOptions {
  tenantId?: string;
  tenantStatus?: 'active' | 'suspended';
  email?: string;
  password?: string;
  role?: TenantRole;
  status?: 'active' | 'inactive';
}

const ROUNDS = 4;

/** Makes a user, and its tenant unless one is named. */
export async function createAccount(owner: Client, options: AccountOptions = {}): Promise<TestAccount> {
  const userId = newId();
  const { email = `${userId}@acme.example`, password = `password of ${userId}` } = options;
  const tenantId = options.tenantId ?? (await createTenant(owner, options.tenantStatus));
  const { rows } = await owner.query<{ slug: string }>('select slug from tenants where id = $1', [tenantId]);
  await owner.query(
    `insert into users (tenant_id, id, email, name, role, status, password_hash) values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      tenantId,
      userId,
      email,
      'Test user',
      options.role ?? 'TENANT_ADMIN',
      options.status ?? 'active',
      await hash(password, ROUNDS),
    ],
  );
  return { tenantId, tenantSlug: rows[0]?.slug ?? '', userId, email, password };
}

async function createTenant(owner: Client, status = 'active'): Promise<string> {
  const id = newId();
  await owner.query(`insert into tenants (id, slug, name, status) values ($1, $2, $3, $4)`, [
    id,
    `acme-${id}`,
    'Acme Ltd.',
    status,
  ]);
  return id;
}
