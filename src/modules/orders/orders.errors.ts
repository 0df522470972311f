import { AppError, type ErrorDetail } from '../../common/app-error';
import { CommonErrors } from '../../common/common.errors';
import type { OrderStatus } from './order-status';

/** Refusals of the orders feature. */
export const OrderErrors = {
  notFound: () => CommonErrors.notFound('order'),
  idTaken: () => new AppError('ORDER_ID_TAKEN', 'An order of this id exists already'),
  unknownCustomer: () => CommonErrors.invalidField('customer_id', 'customer_id must be that of a customer'),
  /** @param positions places of the items in the request, from 0 */
  unknownProducts: (positions: readonly number[]) =>
    CommonErrors.validation(
      positions.map((nth) => {
        const field = `items.${nth}.product_id`;
        return { field, message: `${field} must be that of a product` };
      }),
    ),
  totalTooLarge: () => CommonErrors.invalidField('items', 'items must cost less than 1000000000000000 together'),
  insufficientStock: (details: ErrorDetail[]) =>
    new AppError('INSUFFICIENT_STOCK', 'There is not enough stock for this order', { details }),
  invalidTransition: (from: OrderStatus, to: OrderStatus) =>
    new AppError('INVALID_TRANSITION', `An order that is ${from} cannot become ${to}`),
};
