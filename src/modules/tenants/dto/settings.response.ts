import { ApiProperty } from '@nestjs/swagger';
import { decimal } from '../../../common/money';
import { settingsOf, type TenantSettings } from '../tenant-settings';
import type { TenantEntity } from '../tenant.entity';
import { OrderMessagesResponse, orderMessagesResponse } from './order-messages.dto';
import { PaceResponse, paceResponse, QuietHoursResponse, quietHoursResponse } from './pace.dto';
import { TenantResponse, tenantResponse } from './tenant.response';

/** Above which sum of its completed and pending orders a customer is a VIP; exactly that much is not above. */
export class VipThresholdsResponse {
  @ApiProperty({ type: Number, format: 'double', example: 5000 })
  silver: number;

  @ApiProperty({ type: Number, format: 'double', example: 10000 })
  gold: number;
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
  vip_thresholds: VipThresholdsResponse;

  @ApiProperty({ type: OrderMessagesResponse })
  order_messages: OrderMessagesResponse;
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
  quiet_hours: quietHoursResponse(settings.quiet_hours),
  opt_out_words: settings.opt_out_words,
  opt_in_words: settings.opt_in_words,
  default_pace: paceResponse(settings.default_pace),
  vip_thresholds: {
    silver: decimal(settings.vip_thresholds.silver),
    gold: decimal(settings.vip_thresholds.gold),
  },
  order_messages: orderMessagesResponse(settings.order_messages),
});

/** Lists what the tenant's administrators see of it. */
export const ownTenantResponse = (tenant: TenantEntity): OwnTenantResponse => ({
  ...tenantResponse(tenant),
  ...settingsResponse(settingsOf(tenant.settings)),
});
