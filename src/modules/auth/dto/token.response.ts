import { ApiProperty } from '@nestjs/swagger';
import { ACCESS_TTL_S } from '../access-token';
import type { ServiceToken } from '../service-tokens.service';

/** An access token of a service account (RFC 6749 §5.1); there is no refresh token (§4.4.3). */
export class ServiceTokenResponse {
  /** Goes into `Authorization: Bearer …`. */
  access_token: string;

  @ApiProperty({ enum: ['Bearer'] })
  token_type: 'Bearer';

  /**
   * Seconds that the access token lives.
   * @example 900
   */
  expires_in: number;

  /** The permissions that it holds, separated by blanks. */
  scope: string;
}

/** A token of a developer. */
export class DevTokenResponse {
  /** Goes into `Authorization: Bearer …`. */
  token: string;

  @ApiProperty({ enum: ['24h'] })
  expiresIn: '24h';
}

/** The token as RFC 6749 spells it. */
export const serviceTokenResponse = ({ accessToken, permissions }: ServiceToken): ServiceTokenResponse => ({
  access_token: accessToken,
  token_type: 'Bearer',
  expires_in: ACCESS_TTL_S,
  scope: permissions.join(' '),
});
