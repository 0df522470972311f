import { AppError } from '../../common/app-error';
import { CommonErrors } from '../../common/common.errors';

/** Refusals of the files feature. */
export const FileErrors = {
  notFound: () => CommonErrors.notFound('file'),
  tooLarge: (maxBytes: number) => new AppError('FILE_TOO_LARGE', `A file may have at most ${maxBytes} bytes`),
  tooSlow: () => new AppError('REQUEST_TIMEOUT', 'The file did not arrive in time'),
};
