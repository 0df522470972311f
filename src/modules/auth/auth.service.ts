import { Injectable } from '@nestjs/common';
import { type UserEntity, UsersService } from '../users/users.service';
import { AuthErrors } from './auth.errors';
import { LoginsService, type TokenPair } from './logins.service';
import { type Credentials, PasswordCheck } from './password-check.service';

/** Logging in with a password. */
@Injectable()
export class AuthService {
  constructor(
    private readonly users: UsersService,
    private readonly check: PasswordCheck,
    private readonly logins: LoginsService,
  ) {}

  /**
   * Logs in. Whatever is wrong, the email included, is the same answer after the same time.
   * @throws AUTHENTICATION_FAILED
   * @throws ACCOUNT_LOCKED after too many failures, whether or not anybody has that email.
   * @throws TENANT_REQUIRED when the password is right in several tenants and none is named.
   * @throws RATE_LIMITED when too many others are logging in.
   */
  async login(credentials: Credentials): Promise<{ user: UserEntity; tokens: TokenPair }> {
    const [account, another] = await this.check.opened(credentials);
    if (another) throw AuthErrors.tenantRequired();
    const user = await this.users.getById(account.tenantId, account.userId);
    return { user, tokens: await this.logins.begin(account) };
  }
}
