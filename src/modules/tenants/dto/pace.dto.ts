import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { applyDecorators } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsBoolean, IsInt, IsObject, IsString, Matches, Max, Min, ValidateNested } from 'class-validator';
import type { Pace, PaceChange, QuietHours } from '../../../common/pace';
import { Optional } from '../../../platform/http/optional.rule';

const TIME_OF_DAY = /^([01]\d|2[0-3]):[0-5]\d$/;

const Bounded = (minimum: number, maximum: number): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: Number, minimum, maximum }),
    Optional(),
    IsInt(),
    Min(minimum),
    Max(maximum),
  );

/** A ramp for new numbers: the daily cap grows from the start to its full height over so many days. */
export class WarmupDto {
  /** Switching it on begins it: its first day is that of the next message. */
  @Optional()
  @IsBoolean()
  enabled?: boolean;

  @Bounded(1, 365)
  days?: number;

  /** Messages on the first day. */
  @Bounded(1, 1_000_000)
  start_per_day?: number;
}

/** How fast, and how much, a session sends; what is left out stays as it is. */
export class PaceDto {
  /** Messages a minute, on average. */
  @Bounded(1, 60_000)
  per_minute?: number;

  /** Messages that may leave at once after a pause. */
  @Bounded(1, 1_000)
  burst?: number;

  /** Random pause between two messages, at most so many milliseconds. */
  @Bounded(0, 60_000)
  jitter_ms?: number;

  /** Messages a day, of the tenant's time zone; a tenth of them is kept for replies. */
  @Bounded(1, 1_000_000)
  daily_cap?: number;

  /** Of these, messages to somebody new. */
  @Bounded(0, 1_000_000)
  first_contacts_per_day?: number;

  @ApiPropertyOptional({ type: WarmupDto })
  @Optional()
  @IsObject()
  @ValidateNested()
  @Type(() => WarmupDto)
  warmup?: WarmupDto;
}

const TimeOfDay = (): PropertyDecorator =>
  applyDecorators(
    IsString(),
    Matches(TIME_OF_DAY, { message: '$property must be a time of day, HH:MM' }),
    ApiProperty({ pattern: TIME_OF_DAY.source, example: '22:00' }),
  );

/** When only replies are sent: from one time of day to another, of the tenant's time zone; it may span midnight. */
export class QuietHoursDto {
  @TimeOfDay()
  from: string;

  /** The same as `from`: none. */
  @TimeOfDay()
  to: string;
}

class WarmupResponse {
  enabled: boolean;
  days: number;
  start_per_day: number;
}

/** How fast, and how much, sessions send. */
export class PaceResponse {
  per_minute: number;
  burst: number;
  jitter_ms: number;
  daily_cap: number;
  first_contacts_per_day: number;
  warmup: WarmupResponse;
}

/** When only replies are sent, of the tenant's time zone. */
export class QuietHoursResponse {
  /** @example 22:00 */
  from: string;

  /** @example 07:00 */
  to: string;
}

const named = <T extends object>(dto: T): Partial<T> =>
  Object.fromEntries(Object.entries(dto).filter(([, value]) => value !== undefined)) as Partial<T>;

/** What the body names of a pace, and nothing else. */
export function paceChangeOf({ warmup, ...dto }: PaceDto): PaceChange {
  return { ...named(dto), ...(warmup ? { warmup: named(warmup) } : {}) };
}

/** Lists each part. */
export const paceResponse = (pace: Pace): PaceResponse => ({
  per_minute: pace.per_minute,
  burst: pace.burst,
  jitter_ms: pace.jitter_ms,
  daily_cap: pace.daily_cap,
  first_contacts_per_day: pace.first_contacts_per_day,
  warmup: { enabled: pace.warmup.enabled, days: pace.warmup.days, start_per_day: pace.warmup.start_per_day },
});

export const quietHoursResponse = (quiet: QuietHours | null): QuietHoursResponse | null =>
  quiet && { from: quiet.from, to: quiet.to };
