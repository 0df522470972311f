import { ApiProperty } from '@nestjs/swagger';
import type { LoginRow } from '../logins.service';

/** A login of the user who is calling. */
export class LoginSessionResponse {
  /** @example 01940b6e-7f60-7000-8000-0123456789ab */
  id: string;

  /** Address that it was last refreshed from, or begun at; null where it is not known. */
  @ApiProperty({ type: String, nullable: true, example: '203.0.113.7' })
  ip: string | null;

  /** What the client said of itself there. */
  @ApiProperty({ type: String, nullable: true })
  user_agent: string | null;

  @ApiProperty({ type: String, format: 'date-time' })
  created_at: string;

  /** When it was last refreshed; access tokens live 15 minutes from then. */
  @ApiProperty({ type: String, format: 'date-time' })
  last_used_at: string;

  @ApiProperty({ type: String, format: 'date-time' })
  expires_at: string;

  /** Whether it is the one that this request came with. */
  current: boolean;
}

/** Lists what somebody may know of its own login. */
export const loginSessionResponse = (login: LoginRow, currentId: string): LoginSessionResponse => ({
  id: login.id,
  ip: login.ip,
  user_agent: login.user_agent,
  created_at: login.created_at.toISOString(),
  last_used_at: login.last_used_at.toISOString(),
  expires_at: login.expires_at.toISOString(),
  current: login.id === currentId,
});
