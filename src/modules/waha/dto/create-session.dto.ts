import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsObject, IsOptional, ValidateNested } from 'class-validator';
import { FreeObject } from '../../../platform/http/free-object.rule';
import { DisplayName } from '../../../platform/http/name.rule';
import { Optional } from '../../../platform/http/optional.rule';
import { PaceDto, QuietHoursDto } from '../../tenants/dto/pace.dto';

/** What a session is given when it is made, and may be given later. */
class SessionSettingsDto {
  @Optional()
  @IsObject()
  @ValidateNested()
  @Type(() => PaceDto)
  pace?: PaceDto;

  /** When only replies are sent; `null`: the tenant's own quiet hours hold. */
  @ApiPropertyOptional({ type: QuietHoursDto, nullable: true })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => QuietHoursDto)
  quiet_hours?: QuietHoursDto | null;

  /** Anything of yours, kept and given back as a whole; at most 4 KiB. WAHA never sees it. */
  @ApiPropertyOptional({ type: Object, additionalProperties: true })
  @Optional()
  @FreeObject(4096)
  metadata?: Record<string, unknown>;
}

export class CreateSessionDto extends SessionSettingsDto {
  /** What people call this number; unique in the tenant, whatever its case. @example "Main shop" */
  @DisplayName(100)
  name: string;
}

export class UpdateSessionDto extends SessionSettingsDto {
  /** What people call this number; unique in the tenant, whatever its case. */
  @Optional()
  @DisplayName(100)
  name?: string;
}
