import { IsBoolean } from 'class-validator';
import { Optional } from '../../../platform/http/optional.rule';

/** How much is to end. */
export class LogoutDto {
  /** Whether every login of the user ends, not only this one. */
  @Optional()
  @IsBoolean()
  all?: boolean;
}
