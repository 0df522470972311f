import { AppError } from '../../common/app-error';
import { CommonErrors } from '../../common/common.errors';

/** Refusals of the templates feature. */
export const TemplateErrors = {
  notFound: () => CommonErrors.notFound('template'),
  nameTaken: () => new AppError('TEMPLATE_NAME_TAKEN', 'A template of this name and language exists already'),
};
