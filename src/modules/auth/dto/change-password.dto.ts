import { NewPassword, PasswordAttempt } from '../../../platform/http/password.rule';

/** How somebody who is logged in changes its password. */
export class ChangePasswordDto {
  @PasswordAttempt()
  current_password: string;

  @NewPassword()
  new_password: string;
}
