import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Actor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import { after, type Soon } from '../../common/soon';
import { Authenticator } from '../../platform/http/authenticator';
import { KeyAccess } from '../api-keys/key-access.service';
import { AuthErrors } from './auth.errors';
import { LiveTokens } from './live-tokens';
import { PlatformKey } from './platform-key';

/** RFC 6750 §2.1; the scheme's case does not matter (RFC 9110 §11.1). */
const BEARER = /^bearer +([\w.~+/-]+=*)$/i;

/**
 * Authenticates users and service accounts by `Authorization: Bearer <access token>`, API keys and the platform administrator
 * by `X-API-Key`. Both at once are refused: whose request it is would be anybody's guess.
 */
@Injectable()
export class CredentialAuthenticator extends Authenticator {
  constructor(
    private readonly tokens: LiveTokens,
    private readonly keys: KeyAccess,
    private readonly platform: PlatformKey,
  ) {
    super();
  }

  override authenticate(request: FastifyRequest): Soon<Actor | null> {
    const { authorization, 'x-api-key': apiKey } = request.headers;
    if (authorization === undefined && apiKey === undefined) return null;
    if (authorization !== undefined && apiKey !== undefined) throw AuthErrors.twoCredentials();
    const { ip } = request.context;
    return after(authorization === undefined ? this.ofKey(apiKey, ip) : this.ofToken(authorization, ip), known);
  }

  private ofToken(authorization: string, address: string): Soon<Actor | null> {
    const token = BEARER.exec(authorization)?.[1];
    return token === undefined ? null : after(this.tokens.find(token, address), actorOf);
  }

  private ofKey(key: string | string[] | undefined, address: string): Soon<Actor | null> {
    if (typeof key !== 'string') return null;
    return this.platform.actorOf(key) ?? after(this.keys.byKey(key, address), actorOf);
  }
}

const actorOf = (found: { actor: Actor } | null): Actor | null => found?.actor ?? null;

function known(actor: Actor | null): Actor {
  if (!actor) throw CommonErrors.authenticationFailed();
  return actor;
}
