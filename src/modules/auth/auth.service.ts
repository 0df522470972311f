import { Injectable, Logger } from '@nestjs/common';
import { CommonErrors } from '../../common/common.errors';
import { currentContext } from '../../platform/context/request-context';
import { PasswordHasher } from '../../platform/crypto/password-hasher';
import { type Account, type UserEntity, UsersService } from '../users/users.service';
import { AuthErrors } from './auth.errors';
import { LoginsService, type TokenPair } from './logins.service';

/** What somebody logs in with. */
export interface Credentials {
  /** In its normal spelling. */
  email: string;
  password: string;
  /** Id or slug of the tenant that is meant, where the email has several. */
  tenant?: string;
}

/** How many accounts of one email a password is tried on: each costs a bcrypt. Beyond, the tenant has to be named. */
const MAX_TRIED = 5;

/** Logging in with a password. */
@Injectable()
export class AuthService {
  private readonly logger = new Logger('Auth');

  constructor(
    private readonly users: UsersService,
    private readonly hasher: PasswordHasher,
    private readonly logins: LoginsService,
  ) {}

  /**
   * Logs in. Whatever is wrong, the email included, is the same answer after the same time.
   * @throws AUTHENTICATION_FAILED
   * @throws TENANT_REQUIRED when the password is right in several tenants and none is named.
   * @throws RATE_LIMITED when too many others are logging in.
   */
  async login(credentials: Credentials): Promise<{ user: UserEntity; tokens: TokenPair }> {
    const [account, another] = await this.accountsOpenedBy(credentials);
    if (!account) {
      // Who watches for guessing reads it; which email it was would tell the log's readers of our users.
      this.logger.warn({ msg: 'login refused', ip: currentContext()?.ip });
      throw CommonErrors.authenticationFailed();
    }
    if (another) throw AuthErrors.tenantRequired();
    const user = await this.users.getById(account.tenantId, account.userId);
    return { user, tokens: await this.logins.begin(account) };
  }

  private async accountsOpenedBy({ email, password, tenant }: Credentials): Promise<Account[]> {
    const accounts = (await this.users.accountsOf(email)).filter((account) => !tenant || isOf(account, tenant));
    const tried = accounts.slice(0, MAX_TRIED);
    if (tried.length === 0) await this.hasher.matches(password, null);
    const opened: Account[] = [];
    for (const account of tried)
      if ((await this.hasher.matches(password, account.passwordHash)) && account.open) opened.push(account);
    return opened;
  }
}

const isOf = (account: Account, tenant: string): boolean =>
  account.tenantId === tenant.toLowerCase() || account.tenantSlug === tenant;
