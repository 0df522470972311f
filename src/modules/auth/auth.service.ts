import { Injectable } from '@nestjs/common';
import { type Actor, isUser, permissionsOfActor, PLATFORM_TENANT_ID } from '../../common/actor';
import type { Permission } from '../../common/permissions';
import { type TenantEntity, TenantsService } from '../tenants/tenants.service';
import { type UserEntity, UsersService } from '../users/users.service';
import { AuthErrors } from './auth.errors';
import { LoginsService, type TokenPair } from './logins.service';
import { type Credentials, PasswordCheck } from './password-check.service';

/** Who is calling, and what they may do. */
export interface Profile {
  /** Null where no person is calling. */
  user: UserEntity | null;
  /** Null for a platform administrator who has selected no tenant. */
  tenant: TenantEntity | null;
  permissions: Permission[];
}

/** Logging in with a password, and one's own profile. */
@Injectable()
export class AuthService {
  constructor(
    private readonly users: UsersService,
    private readonly tenants: TenantsService,
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

  /** The actor's user, tenant and permissions. */
  async profile(actor: Actor): Promise<Profile> {
    const [user, tenant] = await Promise.all([
      isUser(actor) ? this.users.getSelf(actor) : null,
      actor.tenantId === PLATFORM_TENANT_ID ? null : this.tenants.getOwn(actor),
    ]);
    return { user, tenant, permissions: permissionsOfActor(actor) };
  }
}
