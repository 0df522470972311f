import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { LRUCache } from 'lru-cache';
import type { Actor } from '../../common/actor';
import { newId } from '../../common/ids';
import type { Soon } from '../../common/soon';
import { ACCESS_TTL_S, type AccessClaims, DEV_TOKEN_TTL_S, type Subject, type UserClaims } from './access-token';
import { JwtStrategy } from './jwt.strategy';

/** Verified tokens that are remembered; each costs some 400 bytes. */
const REMEMBERED_MAX = 20_000;

type LoginClaims = Pick<UserClaims, 'sid' | 'dev'>;

/** Makes access tokens and reads them. */
@Injectable()
export class AccessTokens {
  /** By the token's SHA-256, so that the memory of this process holds no token. */
  private readonly remembered = new LRUCache<string, AccessClaims>({ max: REMEMBERED_MAX });

  constructor(
    private readonly jwt: JwtService,
    private readonly strategy: JwtStrategy,
  ) {}

  /** A new token of the login, for ACCESS_TTL_S seconds. */
  sign(subject: Subject, loginId: string): string {
    return this.ofLogin(subject, { sid: loginId }, ACCESS_TTL_S);
  }

  /** The one token of a login without a password, for DEV_TOKEN_TTL_S seconds. */
  signDev(subject: Subject, loginId: string): string {
    return this.ofLogin(subject, { sid: loginId, dev: true }, DEV_TOKEN_TTL_S);
  }

  /**
   * A new token of an API key, for ACCESS_TTL_S seconds.
   * @param secretHash of the secret that was shown, base64url
   * @param scope what it is narrowed to; undefined for all that the key may
   */
  signForKey(key: Actor, secretHash: string, scope: string | undefined): string {
    const claims = { tid: key.tenantId, key: secretHash, ...(scope === undefined ? {} : { scope }) };
    return this.jwt.sign(claims, { subject: key.id, jwtid: newId() });
  }

  /** What the token says; null when it is not one of ours, altered or expired. Tokens seen before cost one SHA-256. */
  read(token: string): Soon<AccessClaims | null> {
    const key = hash('sha256', token, 'base64');
    const known = this.remembered.get(key);
    if (known) return isCurrent(known) ? known : null;
    return this.verify(token, key);
  }

  private async verify(token: string, key: string): Promise<AccessClaims | null> {
    const claims = await this.strategy.verify(token);
    if (claims) this.remembered.set(key, claims);
    return claims;
  }

  private ofLogin({ tenantId, userId, role }: Subject, login: LoginClaims, expiresIn: number): string {
    return this.jwt.sign({ tid: tenantId, role, ...login }, { subject: userId, jwtid: newId(), expiresIn });
  }
}

const isCurrent = (claims: AccessClaims): boolean => claims.exp > Date.now() / 1000;
