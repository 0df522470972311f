import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { registerDecorator } from 'class-validator';
import { FreeObject } from '../../../../platform/http/free-object.rule';

const MAX_BYTES = 64 * 1024;

/** Header fields of the requests to the upstream. */
export class RouteHeadersDto {
  /** Set, whatever the client sent under the name. */
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { type: 'string' },
    example: { 'x-shop': '7' },
  })
  set?: Record<string, string>;

  /** Not passed on. */
  @ApiPropertyOptional({ type: [String], example: ['cookie'] })
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
