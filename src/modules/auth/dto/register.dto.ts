import { Email } from '../../../platform/http/email.rule';
import { DisplayName } from '../../../platform/http/name.rule';
import { Optional } from '../../../platform/http/optional.rule';
import { NewPassword } from '../../../platform/http/password.rule';

/** What somebody signs up with. */
export class RegisterDto {
  @Email()
  email: string;

  @NewPassword()
  password: string;

  /**
   * Name of the business; unset: the domain of the email.
   * @example Acme Ltd.
   */
  @Optional()
  @DisplayName(200)
  tenant_name?: string;
}
