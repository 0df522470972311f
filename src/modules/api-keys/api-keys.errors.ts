import { AppError } from '../../common/app-error';

/** Refusals of the API keys' feature. */
export const ApiKeyErrors = {
  beyondOwnRights: () => new AppError('FORBIDDEN', 'An API key may hold only what you hold yourself'),
};
