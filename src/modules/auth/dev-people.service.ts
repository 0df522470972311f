import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { CommonErrors } from '../../common/common.errors';
import { newId } from '../../common/ids';
import type { TenantRole } from '../../common/permissions';
import { Config } from '../../config/config';
import { AuditLog } from '../../platform/audit/audit-log';
import { SYSTEM } from '../../platform/audit/audit-record';
import { PasswordHasher } from '../../platform/crypto/password-hasher';
import { TenantDatabase } from '../../platform/database/tenant-database';
import { TenantsService } from '../tenants/tenants.service';
import { type Account, UsersService } from '../users/users.service';
import { AuthErrors } from './auth.errors';

const ROLE: TenantRole = 'TENANT_ADMIN';

/** Who it is that a developer calls by email. */
@Injectable()
export class DevPeople {
  constructor(
    private readonly db: TenantDatabase,
    private readonly users: UsersService,
    private readonly tenants: TenantsService,
    private readonly hasher: PasswordHasher,
    private readonly audit: AuditLog,
    private readonly config: Config,
  ) {}

  /** The only active account of the email; made where there is no account at all. Of several at once one makes it. */
  async find(email: string): Promise<Account> {
    let accounts = await this.users.accountsOf(email);
    if (accounts.length === 0) {
      await this.make(email);
      accounts = await this.users.accountsOf(email);
    }
    const [account, another] = accounts.filter(({ open }) => open);
    if (!account) throw CommonErrors.authenticationFailed();
    if (another) throw AuthErrors.tenantRequired();
    return account;
  }

  private async make(email: string): Promise<void> {
    const tenantId = await this.demo();
    const id = newId();
    const name = email.slice(0, email.lastIndexOf('@'));
    // Of a password that nobody has ever seen.
    const passwordHash = await this.hasher.hash(randomBytes(32).toString('base64url'));
    await this.db.transaction(tenantId, async (tx) => {
      const user = { id, email, name, role: ROLE, passwordHash };
      if (!(await this.users.createUnlessThere(tx, tenantId, user))) return; // another was faster
      const metadata = { role: ROLE, reason: 'dev_token' };
      const personal = { email, name };
      const entry = { action: 'USER_CREATED', resource: `user:${id}`, metadata, personal } as const;
      await this.audit.recordAs(tx, tenantId, SYSTEM, entry);
    });
  }

  /** The id of the demo tenant, which only the embedded database is sure to have. */
  private async demo(): Promise<string> {
    const known = await this.tenants.findDemo();
    if (known) return known;
    const id = newId();
    await this.db.transaction(id, async (tx) => {
      if (!(await this.tenants.foundDemo(tx, { id, plan: this.config.DEFAULT_PLAN }))) return; // another was faster
      const metadata = { reason: 'dev_token' };
      await this.audit.recordAs(tx, id, SYSTEM, { action: 'TENANT_CREATED', resource: `tenant:${id}`, metadata });
    });
    return (await this.tenants.findDemo()) ?? id;
  }
}
