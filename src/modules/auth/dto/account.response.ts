import { ApiProperty } from '@nestjs/swagger';
import { UserResponse, userResponse } from '../../users/dto/user.response';
import type { UserEntity } from '../../users/users.service';
import type { TokenPair } from '../logins.service';
import type { SignedUp } from '../registration.service';

/** A login that has begun, as the clients of `/users/login` know it. */
export class AccountLoginResponse {
  user: UserResponse;

  /** Access token for 15 minutes; goes into `Authorization: Bearer …`. */
  token: string;

  /** Gives the next pair at `POST /auth/refresh`, once. */
  refresh_token: string;
}

/** A user who has just signed up. */
export class RegisteredUserResponse {
  /** @example 01940b6e-7f60-7000-8000-0123456789ab */
  id: string;

  /** @example jane@acme.example */
  email: string;

  /** When that was. */
  @ApiProperty({ type: String, format: 'date-time' })
  created: string;
}

/** Somebody who has signed up and is logged in. */
export class RegisterResponse {
  user: RegisteredUserResponse;

  /** Access token for 15 minutes; goes into `Authorization: Bearer …`. */
  token: string;

  /** Gives the next pair at `POST /auth/refresh`, once. */
  refresh_token: string;
}

/** Lists what the client of `/users/login` gets. */
export const accountLoginResponse = (login: { user: UserEntity; tokens: TokenPair }): AccountLoginResponse => ({
  user: userResponse(login.user),
  token: login.tokens.accessToken,
  refresh_token: login.tokens.refreshToken,
});

/** Lists what who signs up gets. */
export const registerResponse = ({ user, tokens }: SignedUp): RegisterResponse => ({
  user: { id: user.id, email: user.email, created: user.createdAt.toISOString() },
  token: tokens.accessToken,
  refresh_token: tokens.refreshToken,
});
