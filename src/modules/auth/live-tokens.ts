import { Injectable } from '@nestjs/common';
import { type Actor, actorMay } from '../../common/actor';
import type { Permission } from '../../common/permissions';
import { after, type Soon } from '../../common/soon';
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
  find(token: string, address: string | null): Soon<LiveToken | null> {
    return after(this.tokens.read(token), (claims) => {
      if (!claims || ('dev' in claims && !devTokensCount(this.config))) return null;
      const actor = 'key' in claims ? this.ofKey(claims, address) : this.logins.actorOf(loginOf(claims));
      return after(actor, (who) =>
        who?.id === claims.sub && who.tenantId === claims.tid ? { claims, actor: who } : null,
      );
    });
  }

  private ofKey({ key: hash, scope }: KeyClaims, address: string | null): Soon<Actor | null> {
    const key = address === null ? this.keys.whoHas(hash) : this.keys.byHash(hash, address);
    return after(key, (actor) => actor && (scope === undefined ? actor : narrowed(actor, scope)));
  }
}

const loginOf = ({ tid, sid }: { tid: string; sid: string }) => ({ tenantId: tid, loginId: sid });

/** What the key may now, of what the token was narrowed to. */
function narrowed(key: Actor, scope: string): Actor {
  const scopes = (scope.split(' ') as Permission[]).filter((permission) => actorMay(key, permission));
  return { ...key, role: null, scopes };
}
