import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { applyDecorators } from '@nestjs/common';
import { Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  IsArray,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  Min,
  registerDecorator,
  ValidateNested,
} from 'class-validator';
import { DistinctItems } from '../../../platform/http/distinct.rule';
import { Optional } from '../../../platform/http/optional.rule';
import type { SettingsChange } from '../tenant-settings';

const TIME_OF_DAY = /^([01]\d|2[0-3]):[0-5]\d$/;
/** No control character, and nothing at the ends that a trim would take. */
const WORD = /^[^\p{C}\s]([^\p{C}]*[^\p{C}\s])?$/u;
const MAX_WORDS = 100;
const MAX_WORD_CHARACTERS = 40;
const LONGEST_ZONE = 64;

const CURRENCIES: ReadonlySet<unknown> = new Set(Intl.supportedValuesOf('currency'));

/** Names only: offsets such as `+01:00` know no summer time. */
const ZONE_NAME = /^[A-Za-z][\w+-]*(\/[\w+-]+)*$/;

function isTimeZone(value: unknown): boolean {
  if (typeof value !== 'string' || value.length > LONGEST_ZONE || !ZONE_NAME.test(value)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: value });
    return true;
  } catch {
    return false;
  }
}

const rule =
  (name: string, validate: (value: unknown) => boolean, defaultMessage: string): PropertyDecorator =>
  (target, propertyName) =>
    registerDecorator({
      name,
      target: target.constructor,
      propertyName: String(propertyName),
      validator: { validate, defaultMessage: () => defaultMessage },
    });

const TimeOfDay = (): PropertyDecorator =>
  applyDecorators(
    IsString(),
    Matches(TIME_OF_DAY, { message: '$property must be a time of day, HH:MM' }),
    ApiProperty({ pattern: TIME_OF_DAY.source, example: '22:00' }),
  );

/** Words that contacts write, in whatever case; the handler sees them trimmed and upper-case. */
const Words = (): PropertyDecorator =>
  applyDecorators(
    Optional(),
    Transform(({ value }: { value: unknown }) => (Array.isArray(value) ? value.map(wordOf) : value)),
    IsArray(),
    ArrayMaxSize(MAX_WORDS),
    DistinctItems(MAX_WORDS),
    IsString({ each: true }),
    Length(1, MAX_WORD_CHARACTERS, { each: true }),
    Matches(WORD, { each: true, message: 'each word of $property must be plain text' }),
    ApiPropertyOptional({
      type: [String],
      maxItems: MAX_WORDS,
      description: 'Whatever their case, kept in upper case',
    }),
  );

const wordOf = (value: unknown): unknown =>
  typeof value === 'string' ? value.trim().normalize('NFC').toUpperCase() : value;

/** From one time of day to another, of the tenant's time zone; it may span midnight. */
export class QuietHoursDto {
  @TimeOfDay()
  from: string;

  @TimeOfDay()
  to: string;
}

/** How fast new sessions are to send. */
export class DefaultPaceDto {
  /** Messages a minute, on average. */
  @ApiPropertyOptional({ minimum: 1, maximum: 60_000 })
  @Optional()
  @IsInt()
  @Min(1)
  @Max(60_000)
  per_minute?: number;

  /** Messages that may leave at once after a pause. */
  @ApiPropertyOptional({ minimum: 1, maximum: 1_000 })
  @Optional()
  @IsInt()
  @Min(1)
  @Max(1_000)
  burst?: number;

  /** Random pause between two messages, at most so many milliseconds. */
  @ApiPropertyOptional({ minimum: 0, maximum: 60_000 })
  @Optional()
  @IsInt()
  @Min(0)
  @Max(60_000)
  jitter_ms?: number;
}

/** What is to change of a tenant's settings; what is not named stays as it is. */
export class SettingsDto {
  @ApiPropertyOptional({ type: String, description: 'ISO 4217', example: 'EUR' })
  @Optional()
  @rule('isCurrency', (value) => CURRENCIES.has(value), '$property must be a currency of ISO 4217, such as EUR')
  currency?: string;

  @ApiPropertyOptional({ type: String, description: 'Of the IANA database', example: 'Europe/Berlin' })
  @Optional()
  @rule('isTimeZoneName', isTimeZone, '$property must be a time zone of the IANA database, such as Europe/Berlin')
  time_zone?: string;

  @ApiPropertyOptional({ type: QuietHoursDto, nullable: true, description: '`null`: there are none' })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => QuietHoursDto)
  quiet_hours?: QuietHoursDto | null;

  @Words()
  @ArrayNotEmpty()
  opt_out_words?: string[];

  @Words()
  opt_in_words?: string[];

  @Optional()
  @IsObject()
  @ValidateNested()
  @Type(() => DefaultPaceDto)
  default_pace?: DefaultPaceDto;
}

const named = <T extends object>(dto: T): Partial<T> =>
  Object.fromEntries(Object.entries(dto).filter(([, value]) => value !== undefined)) as Partial<T>;

/** What the body names of the settings, and nothing else. */
export function settingsChangeOf({ default_pace: pace, quiet_hours: quiet, ...dto }: SettingsDto): SettingsChange {
  const change: SettingsChange = named(dto);
  if (quiet !== undefined) change.quiet_hours = quiet && { from: quiet.from, to: quiet.to };
  if (pace) change.default_pace = named(pace);
  return change;
}
