import { AppError } from '../../common/app-error';
import { CommonErrors } from '../../common/common.errors';

/** Refusals of imports. */
export const ImportErrors = {
  notFound: () => CommonErrors.notFound('import'),
  noFile: () => CommonErrors.invalidField('file', 'file must be a part of the form, and the last one'),
  empty: () => CommonErrors.invalidField('body', 'body is empty'),
  noHeader: () => CommonErrors.invalidField('body', 'body must begin with a line that names the columns'),
  badHeader: (message: string) => CommonErrors.invalidField('body', message),
  tooMany: (limit: number) =>
    new AppError(
      'RATE_LIMITED',
      `${limit} imports of the tenant wait or run already: wait until one of them has ended`,
    ),
  interrupted: () => new AppError('REQUEST_TIMEOUT', 'The file came in too slowly and was given up: send it again'),
};
