import { ApiPropertyOptional } from '@nestjs/swagger';
import { applyDecorators } from '@nestjs/common';
import { Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  IsArray,
  IsObject,
  IsOptional,
  IsString,
  Length,
  Matches,
  registerDecorator,
  ValidateNested,
} from 'class-validator';
import { Money, MoneyWithin } from '../../../platform/http/money.rule';
import { DistinctItems } from '../../../platform/http/distinct.rule';
import { Optional } from '../../../platform/http/optional.rule';
import { OrderMessagesDto, orderMessagesChangeOf } from './order-messages.dto';
import { PaceDto, paceChangeOf, QuietHoursDto } from './pace.dto';
import type { SettingsChange } from '../tenant-settings';

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

const Threshold = (): PropertyDecorator => applyDecorators(ApiPropertyOptional(), Optional(), Money());

/** Above which sum of its completed and pending orders a customer is a VIP; exactly that much is not above. */
export class VipThresholdsDto {
  @Threshold()
  silver?: string;

  /** More than `silver`. */
  @Threshold()
  gold?: string;
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
  @Type(() => PaceDto)
  default_pace?: PaceDto;

  @Optional()
  @IsObject()
  @ValidateNested()
  @Type(() => VipThresholdsDto)
  @MoneyWithin(VipThresholdsDto)
  vip_thresholds?: VipThresholdsDto;

  @Optional()
  @IsObject()
  @ValidateNested()
  @Type(() => OrderMessagesDto)
  order_messages?: OrderMessagesDto;
}

const named = <T extends object>(dto: T): Partial<T> =>
  Object.fromEntries(Object.entries(dto).filter(([, value]) => value !== undefined)) as Partial<T>;

/** What the body names of the settings, and nothing else. */
export function settingsChangeOf(body: SettingsDto): SettingsChange {
  const { default_pace: pace, quiet_hours: quiet, vip_thresholds: vip, order_messages: messages, ...dto } = body;
  const change: SettingsChange = named(dto);
  if (quiet !== undefined) change.quiet_hours = quiet && { from: quiet.from, to: quiet.to };
  if (pace) change.default_pace = paceChangeOf(pace);
  if (vip) change.vip_thresholds = named(vip);
  if (messages) change.order_messages = orderMessagesChangeOf(messages);
  return change;
}
