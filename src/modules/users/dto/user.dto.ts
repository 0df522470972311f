import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { TENANT_ROLES, type TenantRole } from '../../../common/permissions';
import { Email } from '../../../platform/http/email.rule';
import { DisplayName } from '../../../platform/http/name.rule';
import { Optional } from '../../../platform/http/optional.rule';
import { NewPassword } from '../../../platform/http/password.rule';
import { USER_STATUSES, type UserStatus } from '../user.entity';

const NAME_LENGTH = 200;

/** Somebody who joins the tenant. */
export class CreateUserDto {
  @Email()
  email: string;

  @NewPassword()
  password: string;

  /** @example Jane Doe */
  @DisplayName(NAME_LENGTH)
  name: string;

  @ApiProperty({ enum: TENANT_ROLES })
  @IsIn(TENANT_ROLES)
  role: TenantRole;
}

/** What is to change of a user; what is not named stays. */
export class UpdateUserDto {
  @ApiProperty({ required: false })
  @Optional()
  @DisplayName(NAME_LENGTH)
  name?: string;

  @ApiPropertyOptional({ enum: TENANT_ROLES })
  @Optional()
  @IsIn(TENANT_ROLES)
  role?: TenantRole;

  /** An inactive user cannot log in, and its logins end. */
  @ApiPropertyOptional({ enum: USER_STATUSES })
  @Optional()
  @IsIn(USER_STATUSES)
  status?: UserStatus;
}

/** What a user changes of itself. */
export class UpdateSelfDto {
  @ApiProperty({ required: false })
  @Optional()
  @DisplayName(NAME_LENGTH)
  name?: string;
}
