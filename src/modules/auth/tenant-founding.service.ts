import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { newId } from '../../common/ids';
import { AuditLog } from '../../platform/audit/audit-log';
import { currentContext } from '../../platform/context/request-context';
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

/** A new tenant and its first TENANT_ADMIN. */
export interface Founded {
  tenant: TenantEntity;
  admin: UserEntity;
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
   * Founds a tenant with its first TENANT_ADMIN, whose email may have accounts in other tenants: all of it or nothing. With an
   * idempotency key a repeated call finds the first one's tenant.
   * @throws SLUG_TAKEN: of two at once one gets it
   * @throws VALIDATION_FAILED
   */
  async found(actor: Actor, order: Order): Promise<Founded> {
    const repeated = currentContext()?.resourceId;
    return (
      (repeated && (await this.foundBefore(repeated, order))) || (await this.make(repeated ?? newId(), actor, order))
    );
  }

  private async make(id: string, actor: Actor, { terms, admin }: Order): Promise<Founded> {
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

  /** What the first call of a repeated one founded; null when it came to nothing. */
  private async foundBefore(id: string, { admin }: Order): Promise<Founded | null> {
    const tenant = await this.tenants.find(id);
    const account = tenant && (await this.users.accountsOf(admin.email)).find(({ tenantId }) => tenantId === id);
    return account ? { tenant, admin: await this.users.getById(id, account.userId) } : null;
  }
}
