import { Injectable } from '@nestjs/common';
import { newId } from '../../common/ids';
import { Config } from '../../config/config';
import { TenantDatabase } from '../../platform/database/tenant-database';
import { TenantsService } from '../tenants/tenants.service';
import { PasswordHasher } from '../../platform/crypto/password-hasher';
import { UsersService } from '../users/users.service';
import type { Subject } from './access-token';
import { AuthErrors } from './auth.errors';
import { LoginsService, type TokenPair } from './logins.service';
import { tenantNameOf } from './tenant-name';

/** What somebody signs up with. */
export interface SignUp {
  /** In its normal spelling. */
  email: string;
  password: string;
  tenantName?: string;
}

/** Who has signed up, already logged in. */
export interface SignedUp {
  user: { id: string; email: string; createdAt: Date };
  tokens: TokenPair;
}

/** Self-registration: a new tenant with its first TENANT_ADMIN. */
@Injectable()
export class RegistrationService {
  private readonly open: boolean;

  constructor(
    private readonly db: TenantDatabase,
    private readonly tenants: TenantsService,
    private readonly users: UsersService,
    private readonly hasher: PasswordHasher,
    private readonly logins: LoginsService,
    config: Config,
  ) {
    this.open = config.SIGNUP_ENABLED ?? config.NODE_ENV !== 'production';
  }

  /**
   * Founds a tenant with this user and logs it in: all of it or nothing.
   * @throws SIGNUP_DISABLED
   * @throws EMAIL_TAKEN when an active user has this email in whatever tenant; of two at once one gets it.
   */
  async register({ email, password, tenantName }: SignUp): Promise<SignedUp> {
    if (!this.open) throw AuthErrors.signupDisabled();
    await this.users.requireFreeEmail(email); // before the expensive hash
    const passwordHash = await this.hasher.hash(password);
    const subject: Subject = { tenantId: newId(), userId: newId(), role: 'TENANT_ADMIN' };
    const { tenantId, userId: id, role } = subject;
    const name = email.slice(0, email.lastIndexOf('@'));
    return this.db.transaction(tenantId, async (tx) => {
      await this.users.claimEmail(tx, email);
      await this.tenants.found(tx, { id: tenantId, name: tenantName ?? tenantNameOf(email) });
      const createdAt = await this.users.create(tx, tenantId, { id, email, name, role, passwordHash });
      return { user: { id, email, createdAt }, tokens: await this.logins.begin(subject, tx) };
    });
  }
}
