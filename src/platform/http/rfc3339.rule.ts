import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { registerDecorator } from 'class-validator';

const DATE = '(\\d{4})-(\\d\\d)-(\\d\\d)';
const HOUR_AND_MINUTE = '(?:[01]\\d|2[0-3]):[0-5]\\d';
const TIMESTAMP = new RegExp(`^${DATE}T${HOUR_AND_MINUTE}:[0-5]\\d(?:\\.\\d+)?(?:Z|[+-]${HOUR_AND_MINUTE})$`);
const LAST_YEAR = 9999;

/**
 * The moment that an RFC 3339 timestamp names, to the millisecond; null for anything else: other forms that `Date` would guess
 * at, days that no calendar has, leap seconds, and years outside 0001 to 9999 (in UTC), which PostgreSQL and JSON do not share.
 */
export function parseRfc3339(text: string): Date | null {
  const upper = text.toUpperCase();
  const [, year, month, day] = TIMESTAMP.exec(upper) ?? [];
  if (!isDay(Number(year), Number(month), Number(day))) return null;
  const moment = new Date(upper);
  const utcYear = moment.getUTCFullYear();
  return utcYear >= 1 && utcYear <= LAST_YEAR ? moment : null;
}

/** Month 13 and 30 February roll over in `Date`: what comes out differs from what went in. */
function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** A timestamp of RFC 3339 with its offset; the handler sees a Date. */
export function Rfc3339(): PropertyDecorator {
  const rule: PropertyDecorator = (target, propertyName) =>
    registerDecorator({
      name: 'rfc3339',
      target: target.constructor,
      propertyName: String(propertyName),
      validator: {
        validate: (value: unknown) => value instanceof Date,
        defaultMessage: () => '$property must be a time of RFC 3339, such as 2026-01-31T08:30:00Z',
      },
    });
  const read = Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? (parseRfc3339(value) ?? value) : value,
  );
  return applyDecorators(read, rule);
}
