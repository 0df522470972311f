import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { registerDecorator } from 'class-validator';
import { withDecimals } from '../../common/written-numbers';
import { MONEY_PLACES, parseMoney } from '../../common/money';

const { before, after } = MONEY_PLACES;

const DECIMAL = Symbol('decimal');
const WITHIN = Symbol('within');

type Marked = object & { [DECIMAL]?: ReadonlySet<string>; [WITHIN]?: ReadonlyMap<string, object> };

const NONE: ReadonlySet<string> = new Set();
const NOTHING: ReadonlyMap<string, object> = new Map();

/** Properties of the class that are decimals: whatever number stands there, no digit of it is lost. */
const decimalPropertiesOf = (type: object): ReadonlySet<string> => (type as Marked)[DECIMAL] ?? NONE;
const objectsWithin = (type: object): ReadonlyMap<string, object> => (type as Marked)[WITHIN] ?? NOTHING;

/** The fields, of which amounts of money are decimal texts, digit for digit, also in objects within that `@MoneyWithin` names. */
export function withAmounts(fields: object, type: object): object {
  const amounts = withDecimals(fields, decimalPropertiesOf(type));
  const within = [...objectsWithin(type)].flatMap(([name, inner]) => {
    const value = Object.hasOwn(amounts, name) ? (amounts as Record<string, unknown>)[name] : null;
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? [[name, withAmounts(value, inner)] as const] : [];
  });
  return within.length === 0 ? amounts : { ...amounts, ...Object.fromEntries(within) };
}

/** The property holds an object of that class, some of whose properties are amounts of money. */
export function MoneyWithin(inner: object): PropertyDecorator {
  return (target, propertyName) => {
    const type = target.constructor as Marked;
    type[WITHIN] = new Map([...objectsWithin(type), [String(propertyName), inner]]);
  };
}

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
