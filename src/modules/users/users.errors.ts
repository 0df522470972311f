import { AppError } from '../../common/app-error';

/** Refusals of the users' feature. */
export const UserErrors = {
  emailTaken: () => new AppError('EMAIL_TAKEN', 'An account with this email exists already'),
  lastAdmin: () => new AppError('LAST_ADMIN', 'This is the last active TENANT_ADMIN: make another one first'),
  beyondOwnRights: () => new AppError('FORBIDDEN', 'A user of this role may do what you may not'),
  limitReached: (limit: number) =>
    new AppError('PLAN_LIMIT_REACHED', `The plan allows ${limit} users, and there are as many`),
};
