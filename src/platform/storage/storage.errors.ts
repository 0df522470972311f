import { AppError } from '../../common/app-error';

/** Refusals of the storage. Its own trouble is nobody's fault, and passes. */
export const StorageErrors = {
  /** It cannot be reached, does not answer in time, or answers that it cannot. */
  unavailable: (cause: unknown) =>
    new AppError('STORAGE_UNAVAILABLE', 'The storage of files does not answer at the moment', {
      cause,
      headers: { 'Retry-After': '5' },
    }),
  /** As many files as may be read at once are being read already. */
  busy: () =>
    new AppError('STORAGE_UNAVAILABLE', 'As many files are being read as may be at once', {
      headers: { 'Retry-After': '5' },
    }),
};
