import { AppError, type ErrorDetail } from './app-error';
import type { Permission } from './permissions';

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
  /** The route is open to the caller, but what it asks for needs another permission besides. */
  lacking: (permission: Permission) => new AppError('FORBIDDEN', `This needs the permission ${permission} as well`),
  notFound: (what = 'resource') => new AppError('NOT_FOUND', `There is no such ${what}`),
  /** A platform administrator called what belongs to a tenant and selected none. */
  tenantNotSelected: () =>
    new AppError('VALIDATION_FAILED', 'Select a tenant with X-Tenant-ID', {
      details: [{ field: 'X-Tenant-ID', message: 'X-Tenant-ID must name a tenant, by id or slug' }],
    }),
  /** `If-Match` names another state than the present one (RFC 9110 §13.1.1). */
  preconditionFailed: () =>
    new AppError('PRECONDITION_FAILED', 'The resource has been changed since it was read: read it again'),
  tenantNotFound: () => new AppError('TENANT_NOT_FOUND', 'There is no such tenant'),
  rateLimited: (retryAfterS: number) =>
    new AppError('RATE_LIMITED', 'Too many requests', { headers: { 'Retry-After': String(retryAfterS) } }),
  /** What is counted by the day is used up (429): `unit` is what is counted, in the plural. */
  dailyQuotaExceeded: (unit: string, limit: number, retryAfterS: number) =>
    new AppError('QUOTA_EXCEEDED', `The tenant may have ${limit} ${unit} a day, and has had them`, {
      headers: { 'Retry-After': String(retryAfterS) },
    }),
  /** What is counted as a total has reached what the plan allows (402). */
  planLimitReached: (unit: string, limit: number) =>
    new AppError('PLAN_LIMIT_REACHED', `The tenant may have ${limit} ${unit}, and has them`),
  database: (cause: unknown) =>
    new AppError('DATABASE_ERROR', 'The database cannot do this at the moment; nothing was stored', {
      cause,
      headers: { 'Retry-After': '1' },
    }),
};
