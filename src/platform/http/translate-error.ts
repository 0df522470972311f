import { HttpException } from '@nestjs/common';
import { AppError } from '../../common/app-error';
import { CommonErrors } from '../../common/common.errors';
import { isDatabaseFailure, isUnreadableValue } from '../database/database-error';
import { HttpErrors } from './http.errors';

const BY_STATUS: Record<number, (cause: unknown) => AppError> = {
  400: HttpErrors.badRequest,
  401: CommonErrors.authenticationFailed,
  403: CommonErrors.forbidden,
  404: HttpErrors.unknownRoute,
  405: () => HttpErrors.methodNotAllowed([]),
  408: HttpErrors.requestTimeout,
  409: (cause) => new AppError('CONFLICT', 'The request contradicts the present state', { cause }),
  412: (cause) => new AppError('PRECONDITION_FAILED', 'If-Match no longer holds', { cause }),
  413: HttpErrors.payloadTooLarge,
  414: HttpErrors.uriTooLong,
  415: HttpErrors.unsupportedMediaType,
  429: () => CommonErrors.rateLimited(60),
  431: HttpErrors.headersTooLarge,
  503: HttpErrors.unavailable,
};

const BY_FASTIFY_CODE: Record<string, (cause: unknown) => AppError> = {
  FST_ERR_BAD_URL: HttpErrors.badUrl,
  FST_ERR_MAX_PARAM_LENGTH: HttpErrors.uriTooLong,
  FST_ERR_CTP_INVALID_JSON_BODY: HttpErrors.invalidJson,
};

/**
 * What the caller is told of anything thrown: an AppError as it is; what Nest, Fastify and the JSON parser throw by its
 * status, with our own text; a database that cannot work now as DATABASE_ERROR, and one that cannot read a value as a malformed
 * request; all else as INTERNAL_ERROR, its cause for the log only.
 */
export function translateError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (isDatabaseFailure(error)) return CommonErrors.database(error);
  if (isUnreadableValue(error)) return HttpErrors.badRequest(error);
  if (error instanceof HttpException) return ofStatus(error.getStatus(), error);
  if (error instanceof Error) {
    const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
    const known = typeof code === 'string' ? BY_FASTIFY_CODE[code] : undefined;
    if (known) return known(error);
    if (error instanceof SyntaxError && statusCode === 400) return HttpErrors.invalidJson(error);
    if (typeof statusCode === 'number') return ofStatus(statusCode, error);
  }
  return HttpErrors.internal(error);
}

function ofStatus(status: number, error: Error): AppError {
  const known = BY_STATUS[status];
  if (known) return known(error);
  return status >= 400 && status < 500 ? HttpErrors.badRequest(error) : HttpErrors.internal(error);
}
