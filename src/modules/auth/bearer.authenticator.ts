import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Actor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import { Authenticator } from '../../platform/http/authenticator';
import { AccessTokens } from './access-tokens';
import { LiveLogins } from './live-logins';

/** RFC 6750 §2.1; the scheme's case does not matter (RFC 9110 §11.1). */
const BEARER = /^bearer +([\w.~+/-]+=*)$/i;

/** Authenticates users by `Authorization: Bearer <access token>`. */
@Injectable()
export class BearerAuthenticator extends Authenticator {
  constructor(
    private readonly tokens: AccessTokens,
    private readonly logins: LiveLogins,
  ) {
    super();
  }

  override async authenticate(request: FastifyRequest): Promise<Actor | null> {
    const header = request.headers.authorization;
    if (header === undefined) return null;
    const token = BEARER.exec(header)?.[1];
    const claims = token === undefined ? null : await this.tokens.read(token);
    if (!claims) throw CommonErrors.authenticationFailed();
    const actor = await this.logins.actorOf({ tenantId: claims.tid, loginId: claims.sid });
    if (actor?.id !== claims.sub) throw CommonErrors.authenticationFailed();
    return actor;
  }
}
