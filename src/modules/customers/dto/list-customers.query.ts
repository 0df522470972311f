import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsString, Length } from 'class-validator';
import { Email } from '../../../platform/http/email.rule';
import { DisplayName } from '../../../platform/http/name.rule';
import { Optional } from '../../../platform/http/optional.rule';
import { TimePageQuery } from '../../../platform/http/page.query';
import { VIP_TIERS, type VipTier } from '../customer-row';
import { Phone, Tag, TIER_CHARACTERS } from './customer.dto';

/** Which customers are listed. */
export class ListCustomersQuery extends TimePageQuery {
  /** Exactly this label. */
  @ApiPropertyOptional()
  @Optional()
  @DisplayName(TIER_CHARACTERS)
  tier?: string;

  @ApiPropertyOptional({ enum: VIP_TIERS })
  @Optional()
  @IsIn(VIP_TIERS)
  vip_tier?: VipTier;

  /** The whole email, in whatever case. */
  @ApiPropertyOptional()
  @Optional()
  @Email()
  email?: string;

  /** The whole number with its country code, in any common spelling. */
  @ApiPropertyOptional()
  @Optional()
  @Phone()
  phone?: string;

  /** A part of name, email or phone number, in whatever case. */
  @Optional()
  @IsString()
  @Length(1, 200)
  q?: string;

  /** One of its tags, exactly. */
  @ApiPropertyOptional()
  @Optional()
  @Tag()
  tag?: string;
}
