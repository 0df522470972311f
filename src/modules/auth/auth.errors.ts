import { AppError } from '../../common/app-error';

/** Refusals of logging in and signing up; a wrong credential is CommonErrors.authenticationFailed, whatever was wrong. */
export const AuthErrors = {
  accountLocked: (retryAfterS: number) =>
    new AppError('ACCOUNT_LOCKED', 'Too many failed logins for this account: try again later', {
      headers: { 'Retry-After': String(retryAfterS) },
    }),
  signupDisabled: () => new AppError('SIGNUP_DISABLED', 'Self-registration is switched off on this installation'),
  tenantRequired: () =>
    new AppError('TENANT_REQUIRED', 'This email has accounts in several tenants: name one in `tenant`'),
};
