import type { ValidationError } from 'class-validator';
import type { ErrorDetail } from '../../common/app-error';

/** One entry per rule that a field breaks, the field by its path in the request (`pace.per_minute`, `items.0.sku`). */
export function validationDetails(errors: ValidationError[], parent = ''): ErrorDetail[] {
  return errors.flatMap((error) => {
    const field = parent ? `${parent}.${error.property}` : error.property;
    const own = Object.entries(error.constraints ?? {}).map(([rule, message]) => ({
      field,
      message: rule === 'whitelistValidation' ? 'This field is not known here' : message,
    }));
    return [...own, ...validationDetails(error.children ?? [], field)];
  });
}
