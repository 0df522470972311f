import { ApiProperty } from '@nestjs/swagger';
import { settingsOf, type TenantSettings } from '../tenant-settings';
import type { TenantEntity } from '../tenant.entity';
import { TenantResponse, tenantResponse } from './tenant.response';

/** When nothing is sent, of the tenant's time zone. */
class QuietHoursResponse {
  /** @example 22:00 */
  from: string;

  /** @example 07:00 */
  to: string;
}

/** How fast new sessions are to send. */
class PaceResponse {
  per_minute: number;
  burst: number;
  jitter_ms: number;
}

/** The settings that hold, those that nobody set included. */
export class SettingsResponse {
  /** ISO 4217. @example EUR */
  currency: string;

  /** Of the IANA database. @example Europe/Berlin */
  time_zone: string;

  @ApiProperty({ type: QuietHoursResponse, nullable: true })
  quiet_hours: QuietHoursResponse | null;

  opt_out_words: string[];
  opt_in_words: string[];
  default_pace: PaceResponse;
}

/** The tenant's own settings, with whose they are. */
export class OwnTenantResponse extends SettingsResponse implements TenantResponse {
  /** @example 01940b6e-7f60-7000-8000-0123456789ab */
  id: string;

  /** Its readable name in `X-Tenant-ID`. */
  slug: string;
  name: string;
  plan: string;

  @ApiProperty({ enum: ['active', 'suspended'] })
  status: TenantEntity['status'];
}

/** Lists each setting. */
export const settingsResponse = (settings: TenantSettings): SettingsResponse => ({
  currency: settings.currency,
  time_zone: settings.time_zone,
  quiet_hours: settings.quiet_hours && { from: settings.quiet_hours.from, to: settings.quiet_hours.to },
  opt_out_words: settings.opt_out_words,
  opt_in_words: settings.opt_in_words,
  default_pace: {
    per_minute: settings.default_pace.per_minute,
    burst: settings.default_pace.burst,
    jitter_ms: settings.default_pace.jitter_ms,
  },
});

/** Lists what the tenant's administrators see of it. */
export const ownTenantResponse = (tenant: TenantEntity): OwnTenantResponse => ({
  ...tenantResponse(tenant),
  ...settingsResponse(settingsOf(tenant.settings)),
});
