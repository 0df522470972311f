import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { newId } from '../../common/ids';
import { AuditLog } from '../../platform/audit/audit-log';
import { PasswordHasher } from '../../platform/crypto/password-hasher';
import { TenantDatabase } from '../../platform/database/tenant-database';
import { ManagedTenants, type TenantTerms } from '../tenants/managed-tenants.service';
import type { TenantEntity } from '../tenants/tenants.service';
import { type UserEntity, UsersService } from '../users/users.service';

/** What the platform founds a tenant with. */
export interface Order {
  terms: TenantTerms;
  /** Its first TENANT_ADMIN; the email in its normal spelling. */
  admin: { email: string; password: string; name?: string };
}

/** Founds tenants for the platform. */
@Injectable()
export class TenantFounding {
  constructor(
    private readonly db: TenantDatabase,
    private readonly tenants: ManagedTenants,
    private readonly users: UsersService,
    private readonly hasher: PasswordHasher,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Founds a tenant with its first TENANT_ADMIN, whose email may have accounts in other tenants: all of it or nothing.
   * @throws SLUG_TAKEN: of two at once one gets it
   * @throws VALIDATION_FAILED
   */
  async found(actor: Actor, { terms, admin }: Order): Promise<{ tenant: TenantEntity; admin: UserEntity }> {
    const id = newId();
    const settings = await this.tenants.requireFoundable(id, terms); // before the expensive hash
    const { email, name = email.slice(0, email.lastIndexOf('@')) } = admin;
    const user = {
      id: newId(),
      email,
      name,
      role: 'TENANT_ADMIN',
      passwordHash: await this.hasher.hash(admin.password),
    } as const;
    const tenant = await this.db.transaction(id, async (tx) => {
      const founded = await this.tenants.found(tx, actor, { ...terms, id, settings });
      await this.users.create(tx, id, user);
      await this.audit.recordOfTenant(tx, id, actor, {
        action: 'USER_CREATED',
        resource: `user:${user.id}`,
        metadata: { role: user.role },
        personal: { email, name },
      });
      return founded;
    });
    this.tenants.founded(id);
    return { tenant, admin: await this.users.getById(id, user.id) };
  }
}
