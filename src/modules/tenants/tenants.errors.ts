import { AppError } from '../../common/app-error';

/** Refusals of the tenants' feature. */
export const TenantErrors = {
  slugTaken: () => new AppError('SLUG_TAKEN', 'A tenant of this slug exists already, or the slug is reserved'),
};
