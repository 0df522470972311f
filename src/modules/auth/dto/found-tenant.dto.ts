import { Type } from 'class-transformer';
import { IsObject, ValidateNested } from 'class-validator';
import { Email } from '../../../platform/http/email.rule';
import { DisplayName } from '../../../platform/http/name.rule';
import { Optional } from '../../../platform/http/optional.rule';
import { NewPassword } from '../../../platform/http/password.rule';
import { NewTenantDto } from '../../tenants/dto/tenant.dto';

/** Who administers a new tenant first. */
export class FirstAdminDto {
  @Email()
  email: string;

  @NewPassword()
  password: string;

  /** Unset: the part of the email before the @. @example "Jane Roe" */
  @Optional()
  @DisplayName(200)
  name?: string;
}

/** A tenant that is to be, with its first TENANT_ADMIN. */
export class FoundTenantDto extends NewTenantDto {
  @IsObject()
  @ValidateNested()
  @Type(() => FirstAdminDto)
  admin: FirstAdminDto;
}
