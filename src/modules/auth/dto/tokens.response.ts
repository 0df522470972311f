import { ApiProperty } from '@nestjs/swagger';
import { UserResponse, userResponse } from '../../users/dto/user.response';
import type { UserEntity } from '../../users/users.service';
import { ACCESS_TTL_S } from '../access-token';
import type { TokenPair } from '../logins.service';

/** A pair of tokens (RFC 6749 §5.1). */
export class TokensResponse {
  /** Goes into `Authorization: Bearer …`. */
  access_token: string;

  /** Gives the next pair, once. */
  refresh_token: string;

  @ApiProperty({ enum: ['Bearer'] })
  token_type: 'Bearer';

  /**
   * Seconds that the access token lives.
   * @example 900
   */
  expires_in: number;
}

/** A login that has begun. */
export class LoginResponse extends TokensResponse {
  user: UserResponse;
}

/** The pair as RFC 6749 spells it. */
export const tokensResponse = ({ accessToken, refreshToken }: TokenPair): TokensResponse => ({
  access_token: accessToken,
  refresh_token: refreshToken,
  token_type: 'Bearer',
  expires_in: ACCESS_TTL_S,
});

/** The pair and whose it is. */
export const loginResponse = ({ user, tokens }: { user: UserEntity; tokens: TokenPair }): LoginResponse => ({
  ...tokensResponse(tokens),
  user: userResponse(user),
});
