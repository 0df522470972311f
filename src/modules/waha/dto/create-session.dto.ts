import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsObject, Max, Min, ValidateNested } from 'class-validator';
import { FreeObject } from '../../../platform/http/free-object.rule';
import { DisplayName } from '../../../platform/http/name.rule';
import { Optional } from '../../../platform/http/optional.rule';

/** How fast a session sends; what is left out stays as it is, in a new session as the tenant's `default_pace` says. */
export class PaceDto {
  /** Messages a minute, on average. */
  @Optional()
  @IsInt()
  @Min(1)
  @Max(60_000)
  per_minute?: number;

  /** Messages that may leave at once after a pause. */
  @Optional()
  @IsInt()
  @Min(1)
  @Max(1_000)
  burst?: number;

  /** Random pause between two messages, at most so many milliseconds. */
  @Optional()
  @IsInt()
  @Min(0)
  @Max(60_000)
  jitter_ms?: number;
}

/** What a session is given when it is made, and may be given later. */
class SessionSettingsDto {
  @Optional()
  @IsObject()
  @ValidateNested()
  @Type(() => PaceDto)
  pace?: PaceDto;

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
