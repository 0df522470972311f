import { registerDecorator } from 'class-validator';

/**
 * No item of the list comes twice. Unlike class-validator's `ArrayUnique`, whose work grows with the square of the list, it is
 * one pass; a list beyond `max`, which `ArrayMaxSize` refuses anyway, is not looked at.
 */
export function DistinctItems(max: number): PropertyDecorator {
  return (target, propertyName) => {
    registerDecorator({
      name: 'distinctItems',
      target: target.constructor,
      propertyName: String(propertyName),
      validator: {
        validate: (value: unknown) =>
          Array.isArray(value) && (value.length > max || new Set(value).size === value.length),
        defaultMessage: () => '$property must not hold the same thing twice',
      },
    });
  };
}
