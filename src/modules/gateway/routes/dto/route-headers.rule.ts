import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { registerDecorator } from 'class-validator';
import { FreeObject } from '../../../../platform/http/free-object.rule';
import { MAX_NAME_CHARACTERS, MAX_NAMES, MAX_VALUE_CHARACTERS, TOKEN, VALUE } from '../header-rules';

const MAX_BYTES = 64 * 1024;

/** Header fields of the requests to the upstream. */
@ApiSchema({ description: `Header fields of the requests to the upstream, at most ${MAX_BYTES / 1024} KiB of JSON` })
export class RouteHeadersDto {
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { type: 'string', maxLength: MAX_VALUE_CHARACTERS, pattern: VALUE.source },
    maxProperties: MAX_NAMES,
    description: `Set, whatever the client sent under the name: names of at most ${MAX_NAME_CHARACTERS} characters, in whatever case, each once`,
    example: { 'x-shop': '7' },
  })
  set?: Record<string, string>;

  @ApiPropertyOptional({
    type: 'array',
    items: { type: 'string', minLength: 1, maxLength: MAX_NAME_CHARACTERS, pattern: TOKEN.source },
    maxItems: MAX_NAMES,
    description: 'Names of what is not passed on',
    example: ['cookie'],
  })
  remove?: string[];
}

/** `set`, an object of texts, and `remove`, a list of names; what the names may be is asked later (header-rules.ts). */
export function RouteHeaders(): PropertyDecorator {
  const shape: PropertyDecorator = (target, propertyName) =>
    registerDecorator({
      name: 'isRouteHeaders',
      target: target.constructor,
      propertyName: String(propertyName),
      validator: {
        validate: isHeaders,
        defaultMessage: () => '$property must hold `set`, an object of strings, and `remove`, a list of strings',
      },
    });
  return applyDecorators(FreeObject(MAX_BYTES), shape, ApiPropertyOptional({ type: RouteHeadersDto }));
}

function isHeaders(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { set = {}, remove = [], ...rest } = value;
  return (
    Object.keys(rest).length === 0 &&
    isObject(set) &&
    Object.values(set).every(isString) &&
    Array.isArray(remove) &&
    remove.every(isString)
  );
}

const isString = (value: unknown): boolean => typeof value === 'string';
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
