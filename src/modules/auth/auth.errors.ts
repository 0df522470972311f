import { AppError } from '../../common/app-error';
import { CommonErrors } from '../../common/common.errors';

/** Refusals of logging in and signing up; a wrong credential is CommonErrors.authenticationFailed, whatever was wrong. */
export const AuthErrors = {
  accountLocked: (retryAfterS: number) =>
    new AppError('ACCOUNT_LOCKED', 'Too many failed logins for this account: try again later', {
      headers: { 'Retry-After': String(retryAfterS) },
    }),
  signupDisabled: () => new AppError('SIGNUP_DISABLED', 'Self-registration is switched off on this installation'),
  tenantRequired: () =>
    new AppError('TENANT_REQUIRED', 'This email has accounts in several tenants: name one in `tenant`'),
  devTokensDisabled: () =>
    new AppError('DEV_TOKENS_DISABLED', 'Tokens without a password are switched off on this installation'),
  /** RFC 6749 §5.2: who came with HTTP Basic is told of HTTP Basic. */
  clientUnknown: () =>
    new AppError('AUTHENTICATION_FAILED', 'The client is not known, or its secret is wrong, expired or revoked', {
      headers: { 'www-authenticate': 'Basic realm="token"' },
    }),
  twoCredentials: () =>
    new AppError('AUTHENTICATION_FAILED', 'Send either Authorization or X-API-Key, not both', {
      headers: CommonErrors.authenticationFailed().headers,
    }),
};
