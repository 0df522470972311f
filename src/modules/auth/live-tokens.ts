import { Injectable } from '@nestjs/common';
import { type Actor, actorMay } from '../../common/actor';
import type { Permission } from '../../common/permissions';
import { Config } from '../../config/config';
import { KeyAccess } from '../api-keys/key-access.service';
import { type AccessClaims, devTokensCount, type KeyClaims } from './access-token';
import { AccessTokens } from './access-tokens';
import { LiveLogins } from './live-logins';

/** An access token that lives, and who acts with it. */
export interface LiveToken {
  claims: AccessClaims;
  actor: Actor;
}

/** Access tokens together with what is behind them: a login or an API key, and its rights of now. */
@Injectable()
export class LiveTokens {
  constructor(
    private readonly tokens: AccessTokens,
    private readonly logins: LiveLogins,
    private readonly keys: KeyAccess,
    private readonly config: Config,
  ) {}

  /**
   * Who acts with the token; null when it is none of ours or expired, or what is behind it has ended.
   * @param address from where it is used; null where somebody only asks about it
   */
  async find(token: string, address: string | null): Promise<LiveToken | null> {
    const claims = await this.tokens.read(token);
    if (!claims || ('dev' in claims && !devTokensCount(this.config))) return null;
    const actor = 'key' in claims ? await this.ofKey(claims, address) : await this.logins.actorOf(loginOf(claims));
    return actor?.id === claims.sub && actor.tenantId === claims.tid ? { claims, actor } : null;
  }

  private async ofKey(claims: KeyClaims, address: string | null): Promise<Actor | null> {
    const key = await (address === null ? this.keys.whoHas(claims.key) : this.keys.byHash(claims.key, address));
    return key && (claims.scope === undefined ? key : narrowed(key, claims.scope));
  }
}

const loginOf = ({ tid, sid }: { tid: string; sid: string }) => ({ tenantId: tid, loginId: sid });

/** What the key may now, of what the token was narrowed to. */
function narrowed(key: Actor, scope: string): Actor {
  const scopes = (scope.split(' ') as Permission[]).filter((permission) => actorMay(key, permission));
  return { ...key, role: null, scopes };
}
