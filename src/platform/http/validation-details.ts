import type { ValidationError } from 'class-validator';
import type { ErrorDetail } from '../../common/app-error';

/** For a field that no class declares. */
export const UNKNOWN_FIELD = 'This field is not known here';

/** Rules that say what kind of value a field wants: where one is broken, whatever else is broken follows from it. */
const TYPE_RULES = ['isString', 'isInt', 'isNumber', 'isBoolean', 'isObject', 'isArray'];

/**
 * One entry per field at fault, by its path in the request (`pace.per_minute`, `items.0.sku`), with the one fault that the
 * caller can act on: unknown, missing, of the wrong type, or the first rule of the class that it breaks. The errors must hold
 * the values.
 */
export function validationDetails(errors: ValidationError[], parent = ''): ErrorDetail[] {
  return errors.flatMap((error) => {
    const field = parent ? `${parent}.${error.property}` : error.property;
    const message = messageOf(error);
    return message === undefined ? validationDetails(error.children ?? [], field) : [{ field, message }];
  });
}

function messageOf({ constraints = {}, value, property }: ValidationError): string | undefined {
  const messages = Object.values(constraints);
  if ('whitelistValidation' in constraints) return UNKNOWN_FIELD;
  if (messages.length > 0 && value === undefined) return `${property} is required`;
  const type = TYPE_RULES.find((rule) => rule in constraints);
  // Decorators take effect from the last to the first, so the topmost comes last.
  return type === undefined ? messages.at(-1) : constraints[type];
}
