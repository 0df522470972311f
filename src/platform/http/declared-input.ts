import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum';
import type { FastifyRequest } from 'fastify';
import { CommonErrors } from '../../common/common.errors';
import { UNKNOWN_FIELD } from './validation-details';

/** Which parts of a request a handler asks for; whatever else comes would be ignored, so it is refused. */
export interface DeclaredInput {
  body: boolean;
  query: boolean;
}

/** What the handler's parameters say (`@Body()`, `@Query()`). Parameter decorators run before those of the method. */
export function declaredInputOf(controller: object, handlerName: string): DeclaredInput {
  const parameters = Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, handlerName) as object | undefined;
  const kinds = new Set(Object.keys(parameters ?? {}).map((key) => Number.parseInt(key, 10)));
  return { body: kinds.has(RouteParamtypes.BODY), query: kinds.has(RouteParamtypes.QUERY) };
}

/** An empty object counts as no body: clients send it with actions. @throws VALIDATION_FAILED that names what nobody asked for */
export function assertDeclaredInput({ body, query }: FastifyRequest, declared: DeclaredInput): void {
  if (!declared.query && hasKeys(query)) throw unknownFields(query);
  if (declared.body || body === undefined || body === null) return;
  if (typeof body !== 'object' || Array.isArray(body)) throw CommonErrors.validation([], 'This route takes no body');
  if (hasKeys(body)) throw unknownFields(body);
}

// Not `for … in` that returns at once: optimised by V8 13.6 it now and then saw no key where there was one.
const hasKeys = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.keys(value).length > 0;

const MAX_DETAILS = 100;

const unknownFields = (value: object) =>
  CommonErrors.validation(
    Object.keys(value)
      .slice(0, MAX_DETAILS)
      .map((field) => ({ field, message: UNKNOWN_FIELD })),
  );
