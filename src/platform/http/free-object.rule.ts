import { applyDecorators } from '@nestjs/common';
import { Transform, Type } from 'class-transformer';
import { IsObject, registerDecorator } from 'class-validator';

const FREE = Symbol('free');

type Marked = object & { [FREE]?: ReadonlySet<string> };

const NONE: ReadonlySet<string> = new Set();

/** Properties of the class that hold whatever JSON object the client likes, keys included. */
export const freePropertiesOf = (type: object): ReadonlySet<string> => (type as Marked)[FREE] ?? NONE;

/** A JSON object of the client's own, whose text is at most so many bytes long. The handler sees it as it was parsed. */
export function FreeObject(maxBytes: number): PropertyDecorator {
  const mark: PropertyDecorator = (target, propertyName) => {
    const type = target.constructor as Marked;
    type[FREE] = new Set([...freePropertiesOf(type), String(propertyName)]);
  };
  const small: PropertyDecorator = (target, propertyName) =>
    registerDecorator({
      name: 'isSmallObject',
      target: target.constructor,
      propertyName: String(propertyName),
      validator: {
        validate: (value: unknown) =>
          typeof value === 'object' && value !== null && Buffer.byteLength(JSON.stringify(value)) <= maxBytes,
        defaultMessage: () => `$property must be an object of at most ${maxBytes} bytes`,
      },
    });
  return applyDecorators(
    mark,
    // The transformer would walk in, drop keys such as `toString` and break off at a `constructor`: a type without
    // properties keeps it out, and the value is taken from the source.
    Type(() => Boolean),
    Transform(({ obj, key }: { obj: Record<string, unknown>; key: string }) => obj[key]),
    IsObject(),
    small,
  );
}
