import { AppError } from '../../common/app-error';

/** Refusals that belong to HTTP itself rather than to a feature. Texts are fixed: what the client sent is never repeated. */
export const HttpErrors = {
  badRequest: (cause?: unknown) => new AppError('VALIDATION_FAILED', 'The request is malformed', { cause }),
  invalidJson: (cause?: unknown) => new AppError('VALIDATION_FAILED', 'The body is not valid JSON', { cause }),
  invalidUtf8: () => new AppError('VALIDATION_FAILED', 'The body is not valid UTF-8'),
  forbiddenKey: (cause: unknown) =>
    new AppError('VALIDATION_FAILED', 'The body must not contain the key __proto__, nor constructor with a prototype', {
      cause,
    }),
  repeatedParameter: () =>
    new AppError('VALIDATION_FAILED', 'The form names a parameter twice, or one that no route has'),
  brokenForm: (cause: unknown) =>
    new AppError('VALIDATION_FAILED', 'The form is malformed, holds too much or broke off', { cause }),
  badUrl: () => new AppError('VALIDATION_FAILED', 'The address is not correctly encoded'),
  hostRequired: () => new AppError('VALIDATION_FAILED', 'The Host header is missing'),
  unknownRoute: () => new AppError('NOT_FOUND', 'There is no such route'),
  /** @param allowed methods that the path does have */
  methodNotAllowed: (allowed: string[]) =>
    new AppError('METHOD_NOT_ALLOWED', 'The path exists, but not with this method', {
      headers: { allow: allowed.join(', ') },
    }),
  requestTimeout: () => new AppError('REQUEST_TIMEOUT', 'The request did not arrive in time'),
  payloadTooLarge: () => new AppError('PAYLOAD_TOO_LARGE', 'The body is larger than this route takes'),
  uriTooLong: () => new AppError('URI_TOO_LONG', 'The address is longer than the server takes'),
  rangeNotSatisfiable: (sizeBytes: number) =>
    new AppError('RANGE_NOT_SATISFIABLE', `Nothing of the range is in the file, which has ${sizeBytes} bytes`, {
      headers: { 'content-range': `bytes */${sizeBytes}` },
    }),
  unsupportedMediaType: () => new AppError('UNSUPPORTED_MEDIA_TYPE', 'The body is of a content type that is not taken'),
  unsupportedCoding: () =>
    new AppError('UNSUPPORTED_MEDIA_TYPE', 'The body must be JSON in UTF-8, without a Content-Encoding', {
      headers: { 'accept-encoding': 'identity' },
    }),
  headersTooLarge: () => new AppError('HEADERS_TOO_LARGE', 'The request headers are larger than the server takes'),
  unavailable: () =>
    new AppError('SERVICE_UNAVAILABLE', 'The service cannot answer now; try again', {
      headers: { 'retry-after': '1' },
    }),
  internal: (cause: unknown) => new AppError('INTERNAL_ERROR', 'Something went wrong on our side', { cause }),
};
