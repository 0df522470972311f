import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { newId } from '../../common/ids';
import type { TenantRole } from '../../common/permissions';
import { AuditLog } from '../../platform/audit/audit-log';
import { currentContext } from '../../platform/context/request-context';
import { PasswordHasher } from '../../platform/crypto/password-hasher';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';
import { TenantDirectory } from '../../platform/http/tenant-directory';
import { TeamRepository } from './team.repository';
import type { UserEntity } from './user.entity';
import { UserErrors } from './users.errors';
import { UsersRepository } from './users.repository';

/** Somebody who is to join the tenant. */
export interface UserDraft {
  /** In its normal spelling. */
  email: string;
  password: string;
  name: string;
  role: TenantRole;
}

/** How somebody gets into a tenant that has a bound on its users. */
@Injectable()
export class TeamEntry {
  constructor(
    private readonly db: TenantDatabase,
    private readonly team: TeamRepository,
    private readonly users: UsersRepository,
    private readonly hasher: PasswordHasher,
    private readonly tenants: TenantDirectory,
    private readonly audit: AuditLog,
  ) {}

  /** @throws EMAIL_TAKEN, PLAN_LIMIT_REACHED */
  async admit(actor: Actor, { password, ...draft }: UserDraft): Promise<UserEntity> {
    const { tenantId } = actor;
    // A request that is repeated under its Idempotency-Key finds the user of its first run.
    const repeated = currentContext()?.resourceId;
    const earlier = repeated === undefined ? null : await this.users.findById(tenantId, repeated);
    if (earlier) return earlier;
    const { users: limit } = await this.tenants.limitsOf(tenantId);
    await this.requireFree(tenantId, draft.email); // before the expensive hash
    const passwordHash = await this.hasher.hash(password);
    const id = repeated ?? newId();
    await this.db.transaction(tenantId, async (tx) => {
      if (limit !== null) await this.requireRoom(tx, tenantId, limit);
      const made = await this.users.insert(tx, tenantId, { ...draft, id, passwordHash });
      if (!made) throw UserErrors.emailTaken();
      const { email, name, role } = draft;
      const entry = { metadata: { role }, personal: { email, name } };
      await this.audit.record(tx, actor, { action: 'USER_CREATED', resource: `user:${id}`, ...entry });
    });
    const user = await this.users.findById(tenantId, id);
    if (!user) throw UserErrors.emailTaken(); // removed again already
    return user;
  }

  private async requireFree(tenantId: string, email: string): Promise<void> {
    const taken = await this.users.findEmails(tenantId, [email]);
    if (taken.length > 0) throw UserErrors.emailTaken();
  }

  private async requireRoom(tx: TenantTransaction, tenantId: string, limit: number): Promise<void> {
    if ((await this.team.lockCount(tx, tenantId)) >= limit) throw UserErrors.limitReached(limit);
  }
}
