import { AppError } from '../../common/app-error';

/** Refusals of the users' feature. */
export const UserErrors = {
  emailTaken: () => new AppError('EMAIL_TAKEN', 'An account with this email exists already'),
};
