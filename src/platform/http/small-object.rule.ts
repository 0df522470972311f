import { registerDecorator } from 'class-validator';

/** A JSON object whose text is at most so many bytes long. */
export function IsSmallObject(maxBytes: number): PropertyDecorator {
  return (target, propertyName) => {
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
  };
}
