import { Injectable } from '@nestjs/common';
import { type Actor, actorMay, permissionsOfActor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import { type Permission, SCOPES } from '../../common/permissions';
import { AuditLog } from '../../platform/audit/audit-log';
import { currentContext } from '../../platform/context/request-context';
import { KeyAccess } from '../api-keys/key-access.service';
import { AccessTokens } from './access-tokens';
import { AuthErrors } from './auth.errors';
import type { ClientCredentials } from './client-credentials';

/** An access token of an API key, and what it may. */
export interface ServiceToken {
  accessToken: string;
  permissions: readonly Permission[];
}

/** Access tokens of service accounts: OAuth 2.0 client credentials (RFC 6749 §4.4). */
@Injectable()
export class ServiceTokens {
  constructor(
    private readonly keys: KeyAccess,
    private readonly tokens: AccessTokens,
    private readonly audit: AuditLog,
  ) {}

  /**
   * A token that acts as the key, and ends with the secret that was shown for it.
   * @param scope permissions that it is narrowed to, separated by blanks; undefined for all that the key may
   * @throws AUTHENTICATION_FAILED whatever is wrong with id or secret
   * @throws VALIDATION_FAILED for a scope that the key does not hold
   */
  async issue({ id, secret }: ClientCredentials, scope: string | undefined): Promise<ServiceToken> {
    const shown = await this.keys.byKey(secret, currentContext()?.ip ?? '');
    if (shown?.actor.id !== id.toLowerCase()) throw AuthErrors.clientUnknown();
    const { actor, hash } = shown;
    const permissions = scope === undefined ? permissionsOfActor(actor) : narrowed(actor, scope);
    const narrowedTo = scope === undefined ? undefined : permissions.join(' ');
    const accessToken = this.tokens.signForKey(actor, hash, narrowedTo);
    this.audit.note(actor.tenantId, actor, {
      action: 'TOKEN_ISSUED',
      resource: `api-key:${actor.id}`,
      metadata: { grant: 'client_credentials', scope: narrowedTo ?? null },
    });
    return { accessToken, permissions };
  }
}

function narrowed(key: Actor, scope: string): Permission[] {
  const wanted = [...new Set(scope.split(' ').filter((name) => name !== ''))];
  const known = SCOPES.filter((permission) => wanted.includes(permission) && actorMay(key, permission));
  if (wanted.length === 0 || known.length < wanted.length)
    throw CommonErrors.invalidField('scope', 'scope must name permissions that the API key holds');
  return known;
}
