import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsObject, IsOptional, Length, Matches, Max, Min, ValidateNested } from 'class-validator';
import { IsSmallObject } from '../../../platform/http/small-object.rule';

/** How fast a session sends. */
export class PaceDto {
  /** Messages a minute, on average. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(60_000)
  per_minute?: number = 20;

  /** Messages that may leave at once after a pause. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(1_000)
  burst?: number = 5;

  /** Random pause between two messages, at most so many milliseconds. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(60_000)
  jitter_ms?: number = 1_500;
}

export class CreateSessionDto {
  /** What people call this number; unique in the tenant. @example "Main shop" */
  @Length(1, 100)
  @Matches(/^[^\p{C}]+$/u, { message: 'name must not contain control characters' })
  name: string;

  @IsOptional()
  @ValidateNested()
  @Type(() => PaceDto)
  pace?: PaceDto;

  /** Anything of yours, kept and given back; at most 4 KiB. WAHA never sees it. */
  @ApiPropertyOptional({ type: Object, additionalProperties: true })
  @IsOptional()
  @IsObject()
  @IsSmallObject(4096)
  metadata?: Record<string, unknown>;
}
