import { AppError } from '../../../common/app-error';
import { CommonErrors } from '../../../common/common.errors';

/** Refusals of the gateway's routes. */
export const GatewayRouteErrors = {
  notFound: () => CommonErrors.notFound('route'),
  conflict: (id: string) =>
    new AppError('GATEWAY_ROUTE_CONFLICT', `The route ${id} takes this path, host and one of the methods already`),
  limit: (what: string, max: number) =>
    new AppError('GATEWAY_ROUTE_LIMIT', `A tenant may have ${max} ${what} at most, and this one has no room for more`),
  tooMuchWork: () =>
    CommonErrors.invalidField(
      'path',
      'path is too much work beside the other regular expressions that may have to look at the same request: begin it with other literal text, or simplify it',
    ),
};
