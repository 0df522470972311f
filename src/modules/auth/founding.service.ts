import { Injectable } from '@nestjs/common';
import { Config } from '../../config/config';
import { AuditLog } from '../../platform/audit/audit-log';
import type { AuditActor } from '../../platform/audit/audit-record';
import type { TenantTransaction } from '../../platform/database/tenant-database';
import { TenantsService } from '../tenants/tenants.service';
import { UsersService } from '../users/users.service';
import type { Subject } from './access-token';

/** What a tenant is founded with by somebody who signs up. */
export interface Founding extends Subject {
  /** Of the tenant. */
  name: string;
  /** Of its first user. */
  email: string;
  passwordHash: string;
}

/** Founds the tenants of those who sign up, on record. */
@Injectable()
export class FoundingService {
  constructor(
    private readonly tenants: TenantsService,
    private readonly users: UsersService,
    private readonly audit: AuditLog,
    private readonly config: Config,
  ) {}

  /** Founds a tenant with its first user in its own transaction, and tells when that was. */
  async found(tx: TenantTransaction, founding: Founding): Promise<Date> {
    const { tenantId, userId, role, name: tenantName, email, passwordHash } = founding;
    const name = email.slice(0, email.lastIndexOf('@'));
    await this.tenants.found(tx, { id: tenantId, name: tenantName, plan: this.config.DEFAULT_PLAN });
    const createdAt = await this.users.create(tx, tenantId, { id: userId, email, name, role, passwordHash });
    const founder: AuditActor = { kind: 'user', id: userId };
    const metadata = { registered: true };
    await this.audit.recordAs(tx, tenantId, founder, {
      action: 'TENANT_CREATED',
      resource: `tenant:${tenantId}`,
      metadata,
      personal: { name: tenantName },
    });
    await this.audit.recordAs(tx, tenantId, founder, {
      action: 'USER_CREATED',
      resource: `user:${userId}`,
      metadata: { ...metadata, role },
      personal: { email, name },
    });
    return createdAt;
  }
}
