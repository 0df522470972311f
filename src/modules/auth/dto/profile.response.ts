import { ApiProperty } from '@nestjs/swagger';
import type { Actor } from '../../../common/actor';
import { PERMISSIONS, type Permission, TENANT_ROLES, type TenantRole } from '../../../common/permissions';
import { TenantResponse, tenantResponse } from '../../tenants/dto/tenant.response';
import { UserResponse, userResponse } from '../../users/dto/user.response';
import type { Profile } from '../auth.service';

/** Who is calling, and what they may do. */
export class ProfileResponse {
  user: UserResponse;
  tenant: TenantResponse;

  @ApiProperty({ enum: TENANT_ROLES })
  role: TenantRole;

  @ApiProperty({ enum: Object.keys(PERMISSIONS), isArray: true })
  permissions: Permission[];
}

/** Lists what the actor may know of itself. */
export const profileResponse = (actor: Actor, { user, tenant, permissions }: Profile): ProfileResponse => ({
  user: userResponse(user),
  tenant: tenantResponse(tenant),
  role: actor.role,
  permissions,
});
