import { Injectable } from '@nestjs/common';
import { Config } from '../../config/config';
import { devTokensCount } from './access-token';
import { AuthErrors } from './auth.errors';
import { DevPeople } from './dev-people.service';
import { LoginsService } from './logins.service';

/** Tokens without a password, to try things out (AUTH_DEV_TOKENS); production refuses to start with them. */
@Injectable()
export class DevTokens {
  private readonly enabled: boolean;

  constructor(
    private readonly people: DevPeople,
    private readonly logins: LoginsService,
    config: Config,
  ) {
    this.enabled = devTokensCount(config);
  }

  /**
   * A token of 24 hours for whoever has the email; for an email that nobody has, a TENANT_ADMIN of `demo` is made. It belongs
   * to a login like any other, so that logging out and whatever else ends logins end it too; and it counts only where such
   * tokens are given.
   * @throws DEV_TOKENS_DISABLED
   * @throws TENANT_REQUIRED when the email has active accounts in several tenants
   * @throws AUTHENTICATION_FAILED when it has none that is active
   */
  async issue(email: string): Promise<string> {
    if (!this.enabled) throw AuthErrors.devTokensDisabled();
    const { tenantId, userId, role } = await this.people.find(email);
    return this.logins.beginDev(
      { tenantId, userId, role },
      {
        action: 'TOKEN_ISSUED',
        resource: `user:${userId}`,
        metadata: { grant: 'dev_token' },
      },
    );
  }
}
