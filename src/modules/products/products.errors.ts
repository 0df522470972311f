import { AppError } from '../../common/app-error';
import { CommonErrors } from '../../common/common.errors';

/** Refusals of the products feature. */
export const ProductErrors = {
  notFound: () => CommonErrors.notFound('product'),
  exists: () => new AppError('PRODUCT_EXISTS', 'A product of this id exists already'),
  noImage: () => CommonErrors.invalidField('image_file_id', 'image_file_id must be one of your files'),
  /** `available` pieces are there, fewer than were asked for. */
  insufficientStock: (available: number) =>
    new AppError('INSUFFICIENT_STOCK', `There are ${available} pieces in stock`, { facts: { available } }),
  tooManyPieces: (most: number) =>
    CommonErrors.invalidField('restock', `restock must not bring the stock above ${most} pieces`),
};
