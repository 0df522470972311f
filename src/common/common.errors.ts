import { AppError, type ErrorDetail } from './app-error';

/** Refusals that every feature uses. */
export const CommonErrors = {
  validation: (details: ErrorDetail[], message = 'The request is not valid') =>
    new AppError('VALIDATION_FAILED', message, { details }),
  invalidField: (field: string, message: string) =>
    new AppError('VALIDATION_FAILED', 'The request is not valid', { details: [{ field, message }] }),
  authenticationFailed: () =>
    new AppError('AUTHENTICATION_FAILED', 'The credential is missing, wrong, expired or revoked', {
      headers: { 'www-authenticate': 'Bearer' }, // RFC 9110 §11.6.1
    }),
  forbidden: () => new AppError('FORBIDDEN', 'Your role does not allow this'),
  notFound: (what = 'resource') => new AppError('NOT_FOUND', `There is no such ${what}`),
  tenantNotFound: () => new AppError('TENANT_NOT_FOUND', 'There is no such tenant'),
  rateLimited: (retryAfterS: number) =>
    new AppError('RATE_LIMITED', 'Too many requests', { headers: { 'Retry-After': String(retryAfterS) } }),
  database: (cause: unknown) =>
    new AppError('DATABASE_ERROR', 'The database cannot do this at the moment; nothing was stored', {
      cause,
      headers: { 'Retry-After': '1' },
    }),
};
