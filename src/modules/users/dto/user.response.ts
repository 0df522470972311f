import { ApiProperty } from '@nestjs/swagger';
import { TENANT_ROLES, type TenantRole } from '../../../common/permissions';
import type { UserEntity, UserStatus } from '../user.entity';

/** A user as its colleagues see it. */
export class UserResponse {
  /** @example 01940b6e-7f60-7000-8000-0123456789ab */
  id: string;

  /** @example jane@acme.example */
  email: string;
  name: string;

  @ApiProperty({ enum: TENANT_ROLES })
  role: TenantRole;

  @ApiProperty({ enum: ['active', 'inactive'] })
  status: UserStatus;

  /** The tenant that the user belongs to. */
  tenant_id: string;

  @ApiProperty({ type: String, format: 'date-time' })
  created_at: string;

  @ApiProperty({ type: String, format: 'date-time' })
  updated_at: string;
}

/** Lists the fields that may leave the service. */
export const userResponse = (user: UserEntity): UserResponse => ({
  id: user.id,
  email: user.email,
  name: user.name,
  role: user.role,
  status: user.status,
  tenant_id: user.tenantId,
  created_at: user.createdAt.toISOString(),
  updated_at: user.updatedAt.toISOString(),
});
