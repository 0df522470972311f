import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsString, Length } from 'class-validator';
import { Email } from '../../../platform/http/email.rule';
import { Optional } from '../../../platform/http/optional.rule';

const LONGEST = 300;
const LONGEST_SCOPE = 2_000;

/**
 * A request for an access token: OAuth 2.0 client credentials (RFC 6749 §4.4) or, where the installation allows it, the name
 * of a developer.
 */
export class TokenDto {
  @ApiPropertyOptional({ enum: ['client_credentials'] })
  @Optional()
  @IsIn(['client_credentials'])
  grant_type?: 'client_credentials';

  /** The API key's id; here or in HTTP Basic. */
  @Optional()
  @IsString()
  @Length(1, LONGEST)
  client_id?: string;

  @ApiPropertyOptional({ format: 'password', description: 'The API key itself; here or in HTTP Basic' })
  @Optional()
  @IsString()
  @Length(1, LONGEST)
  client_secret?: string;

  /** Permissions that the token is narrowed to, separated by blanks; all of the key's where it is left out. */
  @Optional()
  @IsString()
  @Length(1, LONGEST_SCOPE)
  scope?: string;

  @ApiPropertyOptional({ description: 'Only with AUTH_DEV_TOKENS; who it is, is decided by the email alone' })
  @Optional()
  @IsString()
  @Length(1, LONGEST)
  userId?: string;

  @ApiPropertyOptional({ description: 'Only with AUTH_DEV_TOKENS, and instead of all but `userId`' })
  @Optional()
  @Email()
  email?: string;
}

/** Whether the body asks for a token without a password: a guess at a user, which is counted as one. */
export function isOfDeveloper(body: unknown): boolean {
  const { email, userId } = (body ?? {}) as { email?: unknown; userId?: unknown };
  return email !== undefined || userId !== undefined;
}
