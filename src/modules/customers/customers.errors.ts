import { AppError } from '../../common/app-error';
import { CommonErrors } from '../../common/common.errors';
import { uniqueViolation } from '../../platform/database/database-error';

/** Why somebody who could not be told from anybody else is no customer; imports say the same. */
export const NAMELESS = { field: 'name', reason: 'name, email or phone must be given' } as const;

/** Refusals of the customers feature. */
export const CustomerErrors = {
  nameless: () => CommonErrors.invalidField(NAMELESS.field, NAMELESS.reason),
  notFound: () => CommonErrors.notFound('customer'),
  idTaken: () => new AppError('CUSTOMER_ID_TAKEN', 'A customer of this id exists already'),
  emailTaken: () => new AppError('CUSTOMER_EMAIL_TAKEN', 'A customer with this email exists already'),
  phoneTaken: () => new AppError('CUSTOMER_PHONE_TAKEN', 'A customer with this phone number exists already'),
  anonymised: () => new AppError('CUSTOMER_ANONYMISED', 'The customer was deleted and cannot be changed'),
};

const TAKEN: Record<string, () => AppError> = {
  customers_email_key: CustomerErrors.emailTaken,
  customers_phone_key: CustomerErrors.phoneTaken,
};

/** What a unique index refused as the refusal that the caller sees; any other error as it is. */
export const refusalOf = (error: unknown): unknown => TAKEN[uniqueViolation(error) ?? '']?.() ?? error;
