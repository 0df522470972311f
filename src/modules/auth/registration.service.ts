import { Injectable } from '@nestjs/common';
import { newId } from '../../common/ids';
import { Config } from '../../config/config';
import { TenantDatabase } from '../../platform/database/tenant-database';
import { PasswordHasher } from '../../platform/crypto/password-hasher';
import { UsersService } from '../users/users.service';
import { AuthErrors } from './auth.errors';
import { FoundingService } from './founding.service';
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
    private readonly users: UsersService,
    private readonly hasher: PasswordHasher,
    private readonly founding: FoundingService,
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
    const subject = { tenantId: newId(), userId: newId(), role: 'TENANT_ADMIN', passwordHash } as const;
    const { tenantId, userId: id } = subject;
    return this.db.transaction(tenantId, async (tx) => {
      await this.users.claimEmail(tx, email);
      const createdAt = await this.founding.found(tx, { ...subject, name: tenantName ?? tenantNameOf(email), email });
      return { user: { id, email, createdAt }, tokens: await this.logins.begin(subject, tx) };
    });
  }
}
