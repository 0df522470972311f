import { IsBoolean, IsOptional } from 'class-validator';

/** How much is to end. */
export class LogoutDto {
  /** Whether every login of the user ends, not only this one. */
  @IsOptional()
  @IsBoolean()
  all?: boolean;
}
