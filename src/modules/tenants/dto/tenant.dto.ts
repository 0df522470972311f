import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { applyDecorators } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsObject, IsOptional, Max, Min, registerDecorator, ValidateNested } from 'class-validator';
import { LIMIT_NAMES, type Limits, PLAN_NAMES, type PlanName } from '../../../common/plans';
import { DisplayName } from '../../../platform/http/name.rule';
import { Optional } from '../../../platform/http/optional.rule';
import { isSlug } from '../tenant-slug';
import type { TenantChange, TenantTerms } from '../managed-tenants.service';
import type { TenantStatus } from '../tenant.entity';
import { SettingsDto, settingsChangeOf } from './settings.dto';

const NAME_LENGTH = 200;
export const TENANT_STATUSES = ['active', 'suspended'] as const satisfies readonly TenantStatus[];

const Slug = (): PropertyDecorator =>
  applyDecorators(
    (target: object, propertyName: string | symbol) =>
      registerDecorator({
        name: 'isSlug',
        target: target.constructor,
        propertyName: String(propertyName),
        validator: {
          validate: isSlug,
          defaultMessage: () => '$property must be 2 to 63 lower-case letters, digits and hyphens, and no id',
        },
      }),
    ApiProperty({ type: String, minLength: 2, maxLength: 63, example: 'acme' }),
  );

/** A bound of the tenant's own; `null` lifts the plan's. */
const Quota = (): PropertyDecorator =>
  applyDecorators(
    IsOptional(),
    IsInt(),
    Min(0),
    Max(Number.MAX_SAFE_INTEGER),
    ApiPropertyOptional({ type: Number, minimum: 0, maximum: Number.MAX_SAFE_INTEGER, nullable: true }),
  );

/** What overrides the bounds of the plan; what is not named is the plan's. */
export class QuotasDto {
  @Quota()
  messages_per_day?: number | null;

  @Quota()
  sessions?: number | null;

  @Quota()
  users?: number | null;

  @Quota()
  storage_bytes?: number | null;

  @Quota()
  requests_per_minute?: number | null;
}

class TermsDto {
  /** Unset: `unlimited` */
  @ApiPropertyOptional({ enum: PLAN_NAMES })
  @Optional()
  @IsIn(PLAN_NAMES)
  plan?: PlanName;

  /** Replaces all quotas that there were. */
  @ApiPropertyOptional({ type: QuotasDto })
  @Optional()
  @IsObject()
  @ValidateNested()
  @Type(() => QuotasDto)
  quotas?: QuotasDto;

  @ApiPropertyOptional({ type: SettingsDto })
  @Optional()
  @IsObject()
  @ValidateNested()
  @Type(() => SettingsDto)
  settings?: SettingsDto;
}

/** A tenant that is to be. */
export class NewTenantDto extends TermsDto {
  /** Of the business. @example "Acme Ltd." */
  @DisplayName(NAME_LENGTH)
  name: string;

  @Slug()
  slug: string;
}

/** What the platform is to change of a tenant. */
export class UpdateTenantDto extends TermsDto {
  @ApiProperty({ required: false })
  @Optional()
  @DisplayName(NAME_LENGTH)
  name?: string;

  @ApiProperty({ required: false })
  @Optional()
  @Slug()
  slug?: string;

  @ApiPropertyOptional({ enum: TENANT_STATUSES, description: 'Whoever is logged in to a suspended tenant is refused' })
  @Optional()
  @IsIn(TENANT_STATUSES)
  status?: TenantStatus;
}

const quotasOf = (dto: QuotasDto): Partial<Limits> =>
  Object.fromEntries(LIMIT_NAMES.filter((name) => dto[name] !== undefined).map((name) => [name, dto[name]]));

/** What the body says of a new tenant. */
export const termsOf = (dto: NewTenantDto): TenantTerms => ({
  name: dto.name,
  slug: dto.slug,
  plan: dto.plan ?? 'unlimited',
  quotas: dto.quotas ? quotasOf(dto.quotas) : {},
  settings: dto.settings ? settingsChangeOf(dto.settings) : {},
});

/** What the body names, and nothing else. */
export function tenantChangeOf({ quotas, settings, name, slug, plan, status }: UpdateTenantDto): TenantChange {
  return {
    ...(name === undefined ? {} : { name }),
    ...(slug === undefined ? {} : { slug }),
    ...(plan === undefined ? {} : { plan }),
    ...(status === undefined ? {} : { status }),
    ...(quotas ? { quotas: quotasOf(quotas) } : {}),
    ...(settings ? { settings: settingsChangeOf(settings) } : {}),
  };
}
