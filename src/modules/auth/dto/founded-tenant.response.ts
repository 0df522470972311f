import type { TenantEntity } from '../../tenants/tenants.service';
import { ManagedTenantResponse, managedTenantResponse } from '../../tenants/dto/managed-tenant.response';
import type { UserEntity } from '../../users/users.service';
import { UserResponse, userResponse } from '../../users/dto/user.response';

/** A new tenant with its first TENANT_ADMIN. */
export class FoundedTenantResponse extends ManagedTenantResponse {
  admin: UserResponse;
}

/** Both, as each of their features shows them. */
export const foundedTenantResponse = (founded: { tenant: TenantEntity; admin: UserEntity }): FoundedTenantResponse => ({
  ...managedTenantResponse(founded.tenant),
  admin: userResponse(founded.admin),
});
