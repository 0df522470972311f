import { ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayNotEmpty, IsIn } from 'class-validator';
import { DisplayName } from '../../../platform/http/name.rule';
import { Optional } from '../../../platform/http/optional.rule';
import { VIP_TIERS, type VipTier } from '../customer-row';
import { Tags, TIER_CHARACTERS } from './customer.dto';

/** Customers with a phone number for whom all that is named holds; with nothing named, all of these. */
export class CustomerConditionsDto {
  /** Exactly this label. @example platinum */
  @ApiPropertyOptional()
  @Optional()
  @DisplayName(TIER_CHARACTERS)
  tier?: string;

  @ApiPropertyOptional({ enum: VIP_TIERS })
  @Optional()
  @IsIn(VIP_TIERS)
  vip_tier?: VipTier;

  /** Customers that have all of them. */
  @ApiPropertyOptional()
  @Optional()
  @Tags()
  @ArrayNotEmpty()
  tags?: string[];
}
