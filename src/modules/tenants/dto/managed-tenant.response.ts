import { ApiProperty } from '@nestjs/swagger';
import { LIMIT_NAMES, type Limits, limitsOf } from '../../../common/plans';
import { settingsOf } from '../tenant-settings';
import type { TenantEntity } from '../tenant.entity';
import { SettingsResponse, settingsResponse } from './settings.response';
import { TenantResponse, tenantResponse } from './tenant.response';

/** What bounds a tenant; null is without bound. */
export class LimitsResponse {
  @ApiProperty({ type: Number, nullable: true })
  messages_per_day: number | null;

  @ApiProperty({ type: Number, nullable: true })
  sessions: number | null;

  @ApiProperty({ type: Number, nullable: true })
  users: number | null;

  @ApiProperty({ type: Number, nullable: true })
  storage_bytes: number | null;

  @ApiProperty({ type: Number, nullable: true })
  requests_per_minute: number | null;
}

/** A tenant as the platform administers it. */
export class ManagedTenantResponse extends TenantResponse {
  /** What overrides the plan. */
  @ApiProperty({ type: Object, additionalProperties: { type: 'integer', nullable: true } })
  quotas: Partial<Limits>;

  /** What holds: the quotas over those of the plan. */
  limits: LimitsResponse;

  settings: SettingsResponse;

  @ApiProperty({ type: String, format: 'date-time' })
  created_at: string;

  @ApiProperty({ type: String, format: 'date-time' })
  updated_at: string;
}

/** Lists the fields that the platform sees. */
export const managedTenantResponse = (tenant: TenantEntity): ManagedTenantResponse => ({
  ...tenantResponse(tenant),
  quotas: listed(tenant.quotas),
  limits: listed(limitsOf(tenant.plan, tenant.quotas)) as Limits,
  settings: settingsResponse(settingsOf(tenant.settings)),
  created_at: tenant.createdAt.toISOString(),
  updated_at: tenant.updatedAt.toISOString(),
});

const listed = (limits: Partial<Limits>): Partial<Limits> =>
  Object.fromEntries(LIMIT_NAMES.filter((name) => limits[name] !== undefined).map((name) => [name, limits[name]]));
