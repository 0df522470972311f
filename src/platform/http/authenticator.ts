import type { FastifyRequest } from 'fastify';
import type { Actor } from '../../common/actor';
import type { Soon } from '../../common/soon';

/** Tells who is calling. The auth feature provides it; the guard asks it on every route that is not public. */
export abstract class Authenticator {
  /**
   * The caller; null when the request carries no credential at all.
   * @throws AUTHENTICATION_FAILED for a credential that is wrong, expired or revoked
   */
  abstract authenticate(request: FastifyRequest): Soon<Actor | null>;
}
