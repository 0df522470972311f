import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsOptional,
  IsString,
  Length,
  Matches,
  MaxLength,
  registerDecorator,
} from 'class-validator';
import { TEXT_ID } from '../../../common/ids';
import { phoneDigits } from '../../../common/phone-number';
import { DistinctItems } from '../../../platform/http/distinct.rule';
import { Email } from '../../../platform/http/email.rule';
import { DisplayName } from '../../../platform/http/name.rule';
import { Optional } from '../../../platform/http/optional.rule';
import type { CustomerFields } from '../customer-row';

const NAME_CHARACTERS = 200;
export const TIER_CHARACTERS = 50;
const MAX_TAGS = 50;
const TAG_CHARACTERS = 50;
const PHONE_CHARACTERS = 64;
const ADDRESS_CHARACTERS = 1_000;
const PART_CHARACTERS = 200;

/** No control character, and nothing at the ends that a trim would take. */
const LABEL = /^[^\p{C}\s]([^\p{C}]*[^\p{C}\s])?$/u;

const labelOf = (value: unknown): unknown => (typeof value === 'string' ? value.trim().normalize('NFC') : value);

function phoneOf(value: unknown): unknown {
  if (typeof value !== 'string' || value.length > PHONE_CHARACTERS) return value;
  const digits = phoneDigits(value);
  return digits === null ? value : `+${digits}`;
}

/** A phone number in any common spelling with its country code; the handler sees E.164. */
export const Phone = (): PropertyDecorator =>
  applyDecorators(
    Transform(({ value }: { value: unknown }) => phoneOf(value)),
    IsString(),
    Matches(/^\+\d{5,15}$/, { message: '$property must be a phone number with its country code' }),
    ApiProperty({ maxLength: PHONE_CHARACTERS, example: '+442079460958' }),
  );

/** A label that people set, and each of a customer's tags. */
export const Tag = (): PropertyDecorator =>
  applyDecorators(
    Transform(({ value }: { value: unknown }) => labelOf(value)),
    IsString(),
    Length(1, TAG_CHARACTERS),
    Matches(LABEL, { message: '$property must be plain text' }),
    ApiProperty({ minLength: 1, maxLength: TAG_CHARACTERS, example: 'newsletter' }),
  );

/** Tags, each once. */
export const Tags = (): PropertyDecorator =>
  applyDecorators(
    Transform(({ value }: { value: unknown }) => (Array.isArray(value) ? value.map(labelOf) : value)),
    IsArray(),
    ArrayMaxSize(MAX_TAGS),
    DistinctItems(MAX_TAGS),
    IsString({ each: true }),
    Length(1, TAG_CHARACTERS, { each: true }),
    Matches(LABEL, { each: true, message: 'each of $property must be plain text' }),
    ApiProperty({
      type: 'array',
      maxItems: MAX_TAGS,
      items: { type: 'string', minLength: 1, maxLength: TAG_CHARACTERS },
      example: ['newsletter'],
    }),
  );

const PARTS = ['street', 'city', 'postal_code', 'region', 'country'] as const;
const ADDRESS_RULE =
  `$property must be a text of 1 to ${ADDRESS_CHARACTERS} characters, or an object of ${PARTS.join(', ')}, ` +
  `each a text of at most ${PART_CHARACTERS} characters`;

function isAddress(value: unknown): boolean {
  if (typeof value === 'string') return value.length >= 1 && value.length <= ADDRESS_CHARACTERS;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(
    ([part, text]) =>
      (PARTS as readonly string[]).includes(part) && typeof text === 'string' && text.length <= PART_CHARACTERS,
  );
}

export const ADDRESS_SCHEMA = {
  oneOf: [
    { type: 'string' as const, minLength: 1, maxLength: ADDRESS_CHARACTERS },
    {
      type: 'object' as const,
      additionalProperties: false,
      properties: Object.fromEntries(
        PARTS.map((part) => [part, { type: 'string' as const, maxLength: PART_CHARACTERS }]),
      ),
    },
  ],
  example: { street: 'Rua Augusta 1', city: 'Lisboa', postal_code: '1100-048', country: 'PT' },
};

/** An address in its parts, or as one text; kept as it came. */
export const Address = (): PropertyDecorator =>
  applyDecorators(
    // The transformer would make an object of a class of its own: the value is taken from the source, as it was parsed.
    Type(() => Boolean),
    Transform(({ obj, key }: { obj: Record<string, unknown>; key: string }) => obj[key]),
    ((target, propertyName) =>
      registerDecorator({
        name: 'isAddress',
        target: target.constructor,
        propertyName: String(propertyName),
        validator: { validate: isAddress, defaultMessage: () => ADDRESS_RULE },
      })) satisfies PropertyDecorator,
    ApiProperty(ADDRESS_SCHEMA),
  );

const orNull = (rule: PropertyDecorator): PropertyDecorator =>
  applyDecorators(ApiPropertyOptional({ nullable: true }), IsOptional(), rule);

/** What is to change of a customer: what is not named stays, and `null` takes away. */
export class UpdateCustomerDto {
  /** Unique in the tenant, whatever its case. */
  @orNull(Email())
  email?: string | null;

  @orNull(DisplayName(NAME_CHARACTERS))
  name?: string | null;

  /** A label that people set by hand. @example platinum */
  @orNull(DisplayName(TIER_CHARACTERS))
  tier?: string | null;

  /** With its country code, in any common spelling; kept as E.164. Unique in the tenant. */
  @orNull(Phone())
  phone?: string | null;

  /** In its parts or as one text; kept as it came. */
  @orNull(Address())
  address?: CustomerFields['address'];

  @ApiPropertyOptional()
  @Optional()
  @Tags()
  tags?: string[];
}

/** A new customer. */
export class CreateCustomerDto extends UpdateCustomerDto {
  /** Unique in the tenant; made where it is left out. @example cust_001 */
  @ApiPropertyOptional({ type: String, pattern: TEXT_ID.source, maxLength: 64 })
  @Optional()
  @IsString()
  @MaxLength(64)
  @Matches(TEXT_ID, { message: '$property must be letters, digits, `_`, `.` and `-`, at most 64' })
  id?: string;
}

/** What the body names of a customer, and nothing else. */
export function customerChangeOf(dto: UpdateCustomerDto): Partial<CustomerFields> {
  const { email, name, tier, phone, address, tags } = dto;
  const given = Object.entries({ email, name, tier, phone, address, tags }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}
