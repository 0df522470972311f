import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { registerDecorator } from 'class-validator';
import { FreeObject } from '../../../platform/http/free-object.rule';
import {
  isVariableValue,
  MAX_VALUE_CHARACTERS,
  MAX_VARIABLES,
  VALUE_RULE,
  type VariableValues,
} from '../template-text';

export type { VariableValues };

/** As many values as there may be, each of the longest characters. */
const MAX_BYTES = 512 * 1024;

const areValues = (value: unknown): boolean => {
  const values = Object.values(value as object);
  return values.length <= MAX_VARIABLES && values.every(isVariableValue);
};

/** What the variables of a template become: an object of at most 100 texts and numbers, whatever its keys. */
export function Variables(): PropertyDecorator {
  const rule: PropertyDecorator = (target, propertyName) =>
    registerDecorator({
      name: 'variables',
      target: target.constructor,
      propertyName: String(propertyName),
      validator: {
        validate: (value: unknown) => typeof value === 'object' && value !== null && areValues(value),
        defaultMessage: () => `$property must hold at most ${MAX_VARIABLES} values, each ${VALUE_RULE}`,
      },
    });
  const value = {
    oneOf: [
      { type: 'string', maxLength: MAX_VALUE_CHARACTERS },
      { type: 'number', format: 'double' },
    ],
  };
  return applyDecorators(
    FreeObject(MAX_BYTES),
    rule,
    ApiPropertyOptional({ type: 'object', additionalProperties: value, example: { name: 'Ada', total: 12 } }),
  );
}
