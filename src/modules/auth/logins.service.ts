import { randomBytes } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { type UserActor, userActor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import { newId } from '../../common/ids';
import { COUNT_CAP, type Page, pageOf, type PageRequest, totalOf } from '../../common/paging';
import { AuditLog } from '../../platform/audit/audit-log';
import type { AuditEntry } from '../../platform/audit/audit-record';
import { auditRow, NOBODY } from '../../platform/audit/audit-record';
import { currentContext } from '../../platform/context/request-context';
import type { TenantTransaction } from '../../platform/database/tenant-database';
import { EventBus } from '../../platform/events/domain-events';
import type { Subject } from './access-token';
import { AccessTokens } from './access-tokens';
import { LiveLogins } from './live-logins';
import { type LoginOrigin, type LoginRow, LoginsRepository, type RefreshableLogin } from './logins.repository';
import { isGenuine, makeRefreshToken, type ParsedRefreshToken, parseRefreshToken } from './refresh-token';
import { SigningKeys } from './signing-keys';

export type { LoginRow };

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
    private readonly audit: AuditLog,
    events: EventBus,
  ) {
    events.joins('user.ended', async (tx, user) => {
      await this.logins.revokeAllWithin(tx, { ...user, keep: null }, 'user_ended');
    });
  }

  /**
   * Begins a login of the user, within the transaction where there is one.
   * @param subject with the hash that its password was compared with, where one was.
   * @throws AUTHENTICATION_FAILED when the user is not active any more, or has another password by now.
   */
  async begin(subject: Subject & { passwordHash?: string }, tx?: TenantTransaction): Promise<TokenPair> {
    const { tenantId, userId, role, passwordHash = null } = subject;
    const ref = { tenantId, loginId: newId() };
    const seed = randomBytes(32);
    const actor = userActor({ ...ref, id: userId, role });
    const record = this.audit.row(actor, { action: 'LOGIN', resource: resourceOf(ref.loginId) });
    const begun = await this.logins.insert({ ...ref, userId, seed, passwordHash, ...origin() }, record, tx);
    if (!begun) throw CommonErrors.authenticationFailed();
    return this.pair(subject, { ...ref, generation: 0 }, seed);
  }

  /**
   * Begins a login without a password, which lives on one access token: its refresh tokens are given to nobody.
   * @param entry what is recorded of it
   * @throws AUTHENTICATION_FAILED when the user is not active any more
   */
  async beginDev(subject: Subject, entry: AuditEntry): Promise<string> {
    const { tenantId, userId, role } = subject;
    const loginId = newId();
    const record = this.audit.row(userActor({ tenantId, loginId, id: userId, role }), entry);
    const login = { tenantId, loginId, userId, seed: randomBytes(32), passwordHash: null, ...origin() };
    if (!(await this.logins.insert(login, record))) throw CommonErrors.authenticationFailed();
    return this.tokens.signDev(subject, loginId);
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
    const record = this.audit.row(actor, { action: 'LOGOUT', resource: resourceOf(actor.loginId) });
    await this.logins.revoke(actor, 'logout', record);
    this.live.forget(actor);
  }

  /** Ends every login of the actor. */
  async endAll(actor: UserActor): Promise<void> {
    const { tenantId, id } = actor;
    const record = this.audit.row(actor, { action: 'LOGOUT', resource: `user:${id}`, metadata: { all: true } });
    const ended = await this.logins.revokeAll(tenantId, id, 'logout', record);
    for (const loginId of ended) this.live.forget({ tenantId, loginId });
    this.live.forget(actor);
  }

  /**
   * Ends one of the actor's own logins, its access tokens included.
   * @throws NOT_FOUND when the actor has no such login, or it has ended.
   */
  async endOne(actor: UserActor, loginId: string): Promise<void> {
    const ref = { tenantId: actor.tenantId, loginId };
    const record = this.audit.row(actor, { action: 'LOGIN_REVOKED', resource: resourceOf(loginId) });
    if (!(await this.logins.revokeOwn(ref, actor.id, record))) throw CommonErrors.notFound('login');
    this.live.forget(ref);
  }

  /** Where the actor is logged in, newest first. */
  async listOwn({ tenantId, id }: UserActor, request: PageRequest): Promise<Page<LoginRow>> {
    const page = pageOf(await this.logins.listOf(tenantId, id, request), request.limit);
    if (!request.count) return page;
    return { ...page, total: totalOf(await this.logins.countOf(tenantId, id, COUNT_CAP + 1)) };
  }

  /**
   * Ends all other logins of the actor within the transaction that changes its password, which is recorded with it.
   * @throws AUTHENTICATION_FAILED when the actor's own has been ended meanwhile.
   */
  async endForNewPassword(tx: TenantTransaction, actor: UserActor): Promise<void> {
    if (!(await this.logins.hold(tx, actor))) throw CommonErrors.authenticationFailed();
    const user = { tenantId: actor.tenantId, userId: actor.id, keep: actor.loginId };
    const ended = await this.logins.revokeAllWithin(tx, user, 'password_changed');
    const metadata = { logins_ended: ended.length };
    await this.audit.record(tx, actor, { action: 'PASSWORD_CHANGED', resource: `user:${actor.id}`, metadata });
  }

  /** Whether the genuine token's successor may be handed out; false when another request was faster and it must be looked at again. */
  private async mayHaveSuccessor(token: ParsedRefreshToken, login: RefreshableLogin): Promise<boolean> {
    const age = login.generation - token.generation;
    if (age === 0) return this.logins.advance(token, token.generation, origin());
    if (age === 1 && login.inGrace) return true;
    // A generation still to come is one that a restored back-up has forgotten: no theft, but no login either.
    if (age > 0) await this.endStolen(token, login.userId);
    throw CommonErrors.authenticationFailed();
  }

  private async endStolen({ tenantId, loginId, generation }: ParsedRefreshToken, userId: string): Promise<void> {
    const metadata = { user_id: userId, generation };
    // Whether the thief or the robbed came second nobody knows.
    const record = auditRow(tenantId, NOBODY, { action: 'REFRESH_REUSE', resource: resourceOf(loginId), metadata });
    await this.logins.revoke({ tenantId, loginId }, 'refresh_reuse', record);
    this.live.forget({ tenantId, loginId });
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

const resourceOf = (loginId: string): string => `login:${loginId}`;

/** From where the request comes; a user agent is cut to what is worth keeping. */
function origin(): LoginOrigin {
  const context = currentContext();
  return { ip: context?.ip ?? null, userAgent: context?.userAgent?.slice(0, 512) ?? null };
}
