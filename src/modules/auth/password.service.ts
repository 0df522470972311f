import { Injectable } from '@nestjs/common';
import type { UserActor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import { PasswordHasher } from '../../platform/crypto/password-hasher';
import { TenantDatabase } from '../../platform/database/tenant-database';
import { EventBus } from '../../platform/events/domain-events';
import { UsersService } from '../users/users.service';
import { LoginsService } from './logins.service';
import { PasswordCheck } from './password-check.service';

/** Changing one's own password. */
@Injectable()
export class PasswordService {
  constructor(
    private readonly db: TenantDatabase,
    private readonly users: UsersService,
    private readonly check: PasswordCheck,
    private readonly hasher: PasswordHasher,
    private readonly logins: LoginsService,
    private readonly events: EventBus,
  ) {}

  /**
   * Changes the actor's password: all its other logins end with it. A wrong current password counts like a failed login, so
   * that a stolen access token is no way to guess on.
   * @throws AUTHENTICATION_FAILED when the current password is wrong, or was changed meanwhile.
   * @throws ACCOUNT_LOCKED after too many failures, those of logging in included.
   * @throws VALIDATION_FAILED when the new password is the current one.
   */
  async change(actor: UserActor, { from, to }: { from: string; to: string }): Promise<void> {
    const kept = await this.check.own(actor, from);
    if (to === from) throw CommonErrors.invalidField('new_password', 'new_password must differ from the current one');
    const hash = await this.hasher.hash(to);
    const { tenantId, id: userId } = actor;
    await this.db.transaction(tenantId, async (tx) => {
      // The user's row first: of two changes at once the second waits here, and then has the wrong current password.
      if (!(await this.users.changePassword(tx, actor, { from: kept, to: hash })))
        throw CommonErrors.authenticationFailed();
      await this.logins.endForNewPassword(tx, actor);
    });
    this.events.committed('user.changed', { tenantId, userId });
  }
}
