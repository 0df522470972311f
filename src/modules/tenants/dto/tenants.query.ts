import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsString, Length } from 'class-validator';
import { PLAN_NAMES, type PlanName } from '../../../common/plans';
import { Optional } from '../../../platform/http/optional.rule';
import { PageQuery } from '../../../platform/http/page.query';
import type { TenantStatus } from '../tenant.entity';
import { TENANT_STATUSES } from './tenant.dto';

/** Which tenants are wanted. */
export class TenantsQuery extends PageQuery {
  @ApiPropertyOptional({ enum: TENANT_STATUSES })
  @Optional()
  @IsIn(TENANT_STATUSES)
  status?: TenantStatus;

  @ApiPropertyOptional({ enum: PLAN_NAMES })
  @Optional()
  @IsIn(PLAN_NAMES)
  plan?: PlanName;

  /** Part of the name or slug, whatever its case. */
  @Optional()
  @IsString()
  @Length(1, 200)
  q?: string;
}
