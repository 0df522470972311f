import { randomBytes } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import type { UserActor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import { newId } from '../../common/ids';
import { currentContext } from '../../platform/context/request-context';
import type { TenantTransaction } from '../../platform/database/tenant-database';
import type { Subject } from './access-token';
import { AccessTokens } from './access-tokens';
import { LiveLogins } from './live-logins';
import { type LoginOrigin, LoginsRepository, type RefreshableLogin } from './logins.repository';
import { isGenuine, makeRefreshToken, type ParsedRefreshToken, parseRefreshToken } from './refresh-token';
import { SigningKeys } from './signing-keys';

/** The two tokens of a login. */
export interface TokenPair {
  accessToken: string;
  refreshToken: string;
}

/** Each loss of a race leaves the token one generation behind, where the grace or the theft rule answers: two rounds do. */
const REFRESH_ROUNDS = 3;

/** Logins: they begin with a password, go on by refreshing, and end by logging out or when a token is used twice. */
@Injectable()
export class LoginsService {
  private readonly logger = new Logger(LoginsService.name);

  constructor(
    private readonly logins: LoginsRepository,
    private readonly live: LiveLogins,
    private readonly tokens: AccessTokens,
    private readonly keys: SigningKeys,
  ) {}

  /** Begins a login of the user, within the transaction where there is one. */
  async begin(subject: Subject, tx?: TenantTransaction): Promise<TokenPair> {
    const { tenantId, userId } = subject;
    const ref = { tenantId, loginId: newId() };
    const seed = randomBytes(32);
    await this.logins.insert({ ...ref, userId, seed, ...origin() }, tx);
    return this.pair(subject, { ...ref, generation: 0 }, seed);
  }

  /** Begins a login that lives on one access token of so many seconds: its refresh tokens are given to nobody. */
  async beginWithoutRefresh(subject: Subject, ttlS: number, tx: TenantTransaction): Promise<string> {
    const { tenantId, userId } = subject;
    const loginId = newId();
    await this.logins.insert({ tenantId, loginId, userId, seed: randomBytes(32), ...origin() }, tx);
    return this.tokens.sign(subject, loginId, ttlS);
  }

  /**
   * A new pair for a refresh token, which works once. Within 10 s a token whose successor is still unused gets that same
   * successor again; any other replay ends the login.
   * @throws AUTHENTICATION_FAILED for every token that is not good, whatever its fault.
   */
  async refresh(refreshToken: string): Promise<TokenPair> {
    const token = parseRefreshToken(refreshToken);
    if (!token) throw CommonErrors.authenticationFailed();
    for (let round = 1; round <= REFRESH_ROUNDS; round++) {
      const login = await this.logins.findRefreshable(token);
      if (!login?.live || !isGenuine(token, login.seed, this.keys.all)) throw CommonErrors.authenticationFailed();
      if (await this.mayHaveSuccessor(token, login)) return this.successor(token, login);
    }
    throw CommonErrors.authenticationFailed();
  }

  /** Ends the actor's login, its access tokens included. */
  async end(actor: UserActor): Promise<void> {
    await this.logins.revoke(actor, 'logout');
    this.live.forget(actor);
  }

  /** Ends every login of the actor. */
  async endAll(actor: UserActor): Promise<void> {
    const { tenantId } = actor;
    const ended = await this.logins.revokeAll(tenantId, actor.id, 'logout');
    for (const loginId of ended) this.live.forget({ tenantId, loginId });
    this.live.forget(actor);
  }

  /** Whether the genuine token's successor may be handed out; false when another request was faster and it must be looked at again. */
  private async mayHaveSuccessor(token: ParsedRefreshToken, login: RefreshableLogin): Promise<boolean> {
    const age = login.generation - token.generation;
    if (age === 0) return this.logins.advance(token, token.generation, origin());
    if (age === 1 && login.inGrace) return true;
    // A generation still to come is one that a restored back-up has forgotten: no theft, but no login either.
    if (age > 0) await this.endStolen(token);
    throw CommonErrors.authenticationFailed();
  }

  private async endStolen(token: ParsedRefreshToken): Promise<void> {
    await this.logins.revoke(token, 'refresh_reuse');
    this.live.forget(token);
    const { tenantId, loginId, generation } = token;
    this.logger.warn({ msg: 'REFRESH_REUSE: the login was ended', tenant_id: tenantId, login_id: loginId, generation });
  }

  private successor(token: ParsedRefreshToken, { userId, role, seed }: RefreshableLogin): TokenPair {
    const { tenantId, loginId, generation } = token;
    return this.pair({ tenantId, userId, role }, { tenantId, loginId, generation: generation + 1 }, seed);
  }

  private pair(
    subject: Subject,
    login: { tenantId: string; loginId: string; generation: number },
    seed: Buffer,
  ): TokenPair {
    return {
      accessToken: this.tokens.sign(subject, login.loginId),
      refreshToken: makeRefreshToken(login, seed, this.keys.current),
    };
  }
}

/** From where the request comes; a user agent is cut to what is worth keeping. */
function origin(): LoginOrigin {
  const context = currentContext();
  return { ip: context?.ip ?? null, userAgent: context?.userAgent?.slice(0, 512) ?? null };
}
