import { Transform } from 'class-transformer';
import { IsOptional, IsString, Length, Matches } from 'class-validator';
import { Email } from '../../../platform/http/email.rule';
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
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value))
  @IsString()
  @Length(1, 200)
  @Matches(/^\P{Cc}*$/u, { message: 'tenant_name must not contain control characters' })
  tenant_name?: string;
}
