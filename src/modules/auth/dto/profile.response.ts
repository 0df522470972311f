import { ApiProperty } from '@nestjs/swagger';
import type { Actor } from '../../../common/actor';
import { PERMISSIONS, type Permission, type Role, ROLES } from '../../../common/permissions';
import { OwnApiKeyResponse, ownApiKeyResponse } from '../../api-keys/dto/api-key.response';
import { TenantResponse, tenantResponse } from '../../tenants/dto/tenant.response';
import { UserResponse, userResponse } from '../../users/dto/user.response';
import type { Profile } from '../profiles';

/** Who is calling, and what they may do. */
export class ProfileResponse {
  /** Null where no person is calling. */
  @ApiProperty({ type: UserResponse, nullable: true })
  user: UserResponse | null;

  /** Null where no API key is calling. */
  @ApiProperty({ type: OwnApiKeyResponse, nullable: true })
  api_key: OwnApiKeyResponse | null;

  /** Null for a platform administrator who has selected no tenant. */
  @ApiProperty({ type: TenantResponse, nullable: true })
  tenant: TenantResponse | null;

  /** Null for an API key that has scopes instead. */
  @ApiProperty({ enum: ROLES, nullable: true })
  role: Role | null;

  @ApiProperty({ enum: Object.keys(PERMISSIONS), isArray: true })
  permissions: Permission[];
}

/** Lists what the actor may know of itself. */
export const profileResponse = (actor: Actor, profile: Profile): ProfileResponse => ({
  user: profile.user && userResponse(profile.user),
  api_key: profile.apiKey && ownApiKeyResponse(profile.apiKey),
  tenant: profile.tenant && tenantResponse(profile.tenant),
  role: actor.role,
  permissions: [...profile.permissions],
});
