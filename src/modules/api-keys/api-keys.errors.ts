import { AppError } from '../../common/app-error';
import type { KeyBounds } from './api-keys.policy';

/** Refusals of the API keys' feature. */
export const ApiKeyErrors = {
  beyondOwnRights: () => new AppError('FORBIDDEN', 'An API key may hold only what you hold yourself'),
  /** @param looser the bounds in which the key is, or would be, looser than the one that calls */
  beyondOwnBounds: (looser: readonly (keyof KeyBounds)[]) =>
    new AppError('KEY_BOUNDS_EXCEEDED', 'This API key handles only keys that are bound as tightly as itself', {
      details: looser.map((field) => ({ field, message: `${field} is looser than that of the key that calls` })),
    }),
};
