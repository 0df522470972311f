import type { TenantRole } from '../../common/permissions';

/** How long an access token lives, in seconds. */
export const ACCESS_TTL_S = 900;

/** Issuer and audience of every token: nobody else makes them, nobody else is meant to read them. */
export const ISSUER = 'switchboard';

/** What an access token says (RFC 7519). Whether its login still lives, and the role of now, is asked of the database. */
export interface AccessClaims {
  /** The user's id. */
  sub: string;
  /** The tenant's id. */
  tid: string;
  role: TenantRole;
  /** The login that the token belongs to. */
  sid: string;
  /** The token's own id. */
  jti: string;
  /** Seconds since the epoch. */
  iat: number;
  exp: number;
}

/** Who a token is made for. */
export interface Subject {
  tenantId: string;
  userId: string;
  role: TenantRole;
}
