import { IsString, Length } from 'class-validator';

/** What a login goes on with. */
export class RefreshDto {
  /** The refresh token that the last login or refresh gave; each works once. */
  @IsString()
  @Length(1, 512)
  refresh_token: string;
}
