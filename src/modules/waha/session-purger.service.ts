import { Injectable, type OnModuleInit } from '@nestjs/common';
import { SYSTEM } from '../../platform/audit/audit-record';
import { AuditLog } from '../../platform/audit/audit-log';
import { type TenantLeave, TenantPurgers } from '../../platform/tenancy/tenant-purgers';
import { SessionProvisioner } from './session-provisioner.service';
import { type LeavingSession, SessionsRepository } from './sessions.repository';

/** Takes the sessions of a deleted tenant out of WAHA. */
@Injectable()
export class SessionPurger implements OnModuleInit {
  constructor(
    private readonly purgers: TenantPurgers,
    private readonly sessions: SessionsRepository,
    private readonly provisioner: SessionProvisioner,
    private readonly audit: AuditLog,
  ) {}

  onModuleInit(): void {
    this.purgers.register('sessions', (leave) => this.purge(leave));
  }

  private async purge({ tenantId, lastTry, count }: TenantLeave): Promise<void> {
    const leaving = await this.sessions.notYetGone(tenantId);
    // All of them first: one server that is away must not keep the sessions of another alive.
    for (const session of leaving) await this.markDeleted(session);
    const failures: Error[] = [];
    for (const session of leaving) {
      try {
        await this.provisioner.withdraw(session);
        await count('withdrawn', 1);
      } catch (error) {
        if (lastTry) {
          await this.sessions.markGone(tenantId, session.id);
          await count('left_in_waha', 1);
        } else failures.push(error as Error);
      }
    }
    if (failures[0]) throw failures[0];
  }

  /** So that the reconciler does not bring it back. */
  private async markDeleted({ tenant_id: tenantId, id, waha_name }: LeavingSession): Promise<void> {
    const entry = {
      action: 'SESSION_DELETED',
      resource: `session:${id}`,
      metadata: { reason: 'tenant deleted' },
    } as const;
    await this.sessions.markDeleted(tenantId, id, (tx) => this.audit.recordAs(tx, tenantId, SYSTEM, entry));
    this.provisioner.forget(tenantId, waha_name);
  }
}
