import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { registerDecorator } from 'class-validator';
import { FreeObject } from '../../../platform/http/free-object.rule';

const MAX_BYTES = 16 * 1024;
const MAX_DEPTH = 8;

const isShallow = (value: unknown, levels: number): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (levels > 0 && Object.values(value).every((inner) => isShallow(inner, levels - 1)));

/** Whatever else is to be said of a product: a JSON object of at most 16 KiB and 8 levels. Numbers are doubles. */
export function Attributes(): PropertyDecorator {
  const shallow: PropertyDecorator = (target, propertyName) =>
    registerDecorator({
      name: 'isShallow',
      target: target.constructor,
      propertyName: String(propertyName),
      validator: {
        validate: (value: unknown) => isShallow(value, MAX_DEPTH),
        defaultMessage: () => `$property must not be nested deeper than ${MAX_DEPTH} levels`,
      },
    });
  return applyDecorators(
    FreeObject(MAX_BYTES),
    shallow,
    ApiPropertyOptional({ type: 'object', additionalProperties: true, example: { case_mm: 41 } }),
  );
}
