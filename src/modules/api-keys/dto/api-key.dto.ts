import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayNotEmpty, IsArray, IsIn, IsInt, IsOptional, Max, Min } from 'class-validator';
import { IsCidrList } from '../../../common/cidr-list.rule';
import { type Permission, SCOPES, TENANT_ROLES, type TenantRole } from '../../../common/permissions';
import { DistinctItems } from '../../../platform/http/distinct.rule';
import { DisplayName } from '../../../platform/http/name.rule';
import { Optional } from '../../../platform/http/optional.rule';
import { Rfc3339 } from '../../../platform/http/rfc3339.rule';
import type { KeySettings } from '../api-keys.repository';

const NAME_LENGTH = 100;
const MAX_CIDRS = 50;
const MAX_PER_MINUTE = 1_000_000;

/** What a key has beside its name; `null` lifts a bound. */
class KeyBounds {
  @ApiPropertyOptional({ enum: TENANT_ROLES, description: 'Either this or scopes' })
  @Optional()
  @IsIn(TENANT_ROLES)
  role?: TenantRole;

  @ApiPropertyOptional({ enum: SCOPES, isArray: true, minItems: 1, description: 'Either this or role' })
  @Optional()
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(SCOPES.length)
  @DistinctItems(SCOPES.length)
  @IsIn(SCOPES, { each: true })
  scopes?: Permission[];

  @ApiPropertyOptional({ type: String, format: 'date-time', nullable: true, description: 'When the key ends' })
  @IsOptional()
  @Rfc3339()
  expires_at?: Date | null;

  @ApiPropertyOptional({ type: Number, minimum: 1, maximum: MAX_PER_MINUTE, nullable: true })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_PER_MINUTE)
  requests_per_minute?: number | null;

  /** Addresses or CIDRs that the key may be used from; any where the list is empty. @example ["203.0.113.0/24"] */
  @ApiPropertyOptional({ type: [String], maxItems: MAX_CIDRS })
  @Optional()
  @IsArray()
  @ArrayMaxSize(MAX_CIDRS)
  @IsCidrList()
  allowed_cidrs?: string[];
}

/** A service account that is to be. */
export class CreateApiKeyDto extends KeyBounds {
  /** What people call it. @example "Web shop" */
  @DisplayName(NAME_LENGTH)
  name: string;
}

/** What is to change of a key; role and scopes replace each other. */
export class UpdateApiKeyDto extends KeyBounds {
  @ApiProperty({ required: false })
  @Optional()
  @DisplayName(NAME_LENGTH)
  name?: string;
}

/** How a key is to be rotated. */
export class RotateApiKeyDto {
  @ApiPropertyOptional({ description: 'Seconds that the present secret works on', minimum: 0, maximum: 604_800 })
  @Optional()
  @IsInt()
  @Min(0)
  @Max(604_800)
  grace_s?: number = 86_400;
}

/** A new key as the service wants it: what is not named is null. */
export const settingsOf = (dto: CreateApiKeyDto): KeySettings => ({
  name: dto.name,
  role: dto.role ?? null,
  scopes: dto.scopes ?? null,
  expires_at: dto.expires_at ?? null,
  requests_per_minute: dto.requests_per_minute ?? null,
  allowed_cidrs: dto.allowed_cidrs ?? [],
});

/** What the change names, and nothing else. */
export const changeOf = (dto: UpdateApiKeyDto): Partial<KeySettings> =>
  Object.fromEntries(Object.entries(dto).filter(([, value]) => value !== undefined));
