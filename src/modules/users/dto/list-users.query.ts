import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsString, Length } from 'class-validator';
import { TENANT_ROLES, type TenantRole } from '../../../common/permissions';
import { Optional } from '../../../platform/http/optional.rule';
import { PageQuery } from '../../../platform/http/page.query';
import { USER_STATUSES, type UserStatus } from '../user.entity';

/** Which users are listed. */
export class ListUsersQuery extends PageQuery {
  @ApiPropertyOptional({ enum: TENANT_ROLES })
  @Optional()
  @IsIn(TENANT_ROLES)
  role?: TenantRole;

  @ApiPropertyOptional({ enum: USER_STATUSES })
  @Optional()
  @IsIn(USER_STATUSES)
  status?: UserStatus;

  /** A part of the name or of the email, in whatever case. */
  @Optional()
  @IsString()
  @Length(1, 200)
  q?: string;
}
