import type { TenantRole } from '../../common/permissions';
import type { Config } from '../../config/config';

/** How long an access token lives, in seconds. */
export const ACCESS_TTL_S = 900;

/** How long one without a password lives (AUTH_DEV_TOKENS), in seconds. */
export const DEV_TOKEN_TTL_S = 24 * 60 * 60;

/** Whether tokens without a password are given now, and count. */
export const devTokensCount = ({ AUTH_DEV_TOKENS, NODE_ENV }: Config): boolean =>
  AUTH_DEV_TOKENS && NODE_ENV !== 'production';

/** Issuer and audience of every token: nobody else makes them, nobody else is meant to read them. */
export const ISSUER = 'switchboard';

/** What every access token says (RFC 7519). Whether what is behind it still lives, and its rights of now, is asked of the database. */
interface Claims {
  /** The id of the user or of the API key. */
  sub: string;
  /** The tenant's id. */
  tid: string;
  /** The token's own id. */
  jti: string;
  /** Seconds since the epoch. */
  iat: number;
  exp: number;
}

/** The token of a person. */
export interface UserClaims extends Claims {
  role: TenantRole;
  /** The login that the token belongs to. */
  sid: string;
  /** Given without a password: it counts only while such tokens are given. Absent in every other. */
  dev?: true;
}

/** The token of an API key. */
export interface KeyClaims extends Claims {
  /** SHA-256 of the very secret that it was given for, base64url: it ends with that secret, and gives it to nobody. */
  key: string;
  /** The permissions that it is narrowed to, separated by blanks; absent where it may all that the key may. */
  scope?: string;
}

export type AccessClaims = UserClaims | KeyClaims;

/** Who a token is made for. */
export interface Subject {
  tenantId: string;
  userId: string;
  role: TenantRole;
}
