import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { registerDecorator } from 'class-validator';
import { MONEY_PLACES, parseMoney } from '../../common/money';

const { before, after } = MONEY_PLACES;

const DECIMAL = Symbol('decimal');

type Marked = object & { [DECIMAL]?: ReadonlySet<string> };

const NONE: ReadonlySet<string> = new Set();

/** Properties of the class that are decimals: whatever number stands there, no digit of it is lost. */
export const decimalPropertiesOf = (type: object): ReadonlySet<string> => (type as Marked)[DECIMAL] ?? NONE;

/**
 * An amount of money from nothing up, as a JSON number or as a decimal text, digit for digit: at most 15 digits before the point
 * and 4 after it. The handler sees the decimal text, never a number. Queries spell it the same way.
 */
export function Money(): PropertyDecorator {
  const mark: PropertyDecorator = (target, propertyName) => {
    const type = target.constructor as Marked;
    type[DECIMAL] = new Set([...decimalPropertiesOf(type), String(propertyName)]);
  };
  const rule: PropertyDecorator = (target, propertyName) =>
    registerDecorator({
      name: 'money',
      target: target.constructor,
      propertyName: String(propertyName),
      validator: {
        validate: (value: unknown) => typeof value === 'string' && parseMoney(value) !== null,
        defaultMessage: () =>
          `$property must be a decimal number from 0 up, of at most ${before} digits before the point and ${after} after it`,
      },
    });
  return applyDecorators(
    mark,
    Transform(({ value }: { value: unknown }) => parseMoney(value) ?? value),
    rule,
    ApiProperty({
      oneOf: [
        { type: 'number', format: 'decimal', minimum: 0 },
        { type: 'string', pattern: '^(0|[1-9][0-9]{0,14})([.][0-9]{1,4})?$' },
      ],
      example: 12.5,
    }),
  );
}
