import { IsString, Length } from 'class-validator';
import { Email } from '../../../platform/http/email.rule';
import { Optional } from '../../../platform/http/optional.rule';
import { PasswordAttempt } from '../../../platform/http/password.rule';

/** What somebody logs in with. */
export class LoginDto {
  @Email()
  email: string;

  @PasswordAttempt()
  password: string;

  /**
   * Id or slug of the tenant. Needed only where the email has accounts in several tenants.
   * @example acme
   */
  @Optional()
  @IsString()
  @Length(1, 63)
  tenant?: string;
}
