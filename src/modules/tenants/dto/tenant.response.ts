import { ApiProperty } from '@nestjs/swagger';
import type { TenantEntity, TenantStatus } from '../tenant.entity';

/** A tenant as its users see it. */
export class TenantResponse {
  /** @example 01940b6e-7f60-7000-8000-0123456789ab */
  id: string;

  /** Its readable name in `X-Tenant-ID`. */
  slug: string;
  name: string;
  plan: string;

  @ApiProperty({ enum: ['active', 'suspended'] })
  status: TenantStatus;
}

/** Lists the fields that the tenant's users may see. */
export const tenantResponse = ({ id, slug, name, plan, status }: TenantEntity): TenantResponse => ({
  id,
  slug,
  name,
  plan,
  status,
});
