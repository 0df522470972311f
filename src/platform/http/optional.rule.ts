import { ValidateIf } from 'class-validator';

/**
 * The field may be left out. Unlike class-validator's `IsOptional`, `null` is no way to leave it out: it goes through the
 * field's other rules and is refused by them, so that "not given" has one spelling.
 */
export const Optional = (): PropertyDecorator => ValidateIf((_object, value) => value !== undefined);

/** The field may be left out, and `null` says that there is none. */
export const OptionalOrNull = (): PropertyDecorator =>
  ValidateIf((_object, value) => value !== undefined && value !== null);
