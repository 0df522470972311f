import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsInt, Max, Min } from 'class-validator';

/** Decimal digits and nothing else: `Number` alone takes `0x10`, `1e1`, blanks and the empty text as well. */
const WHOLE_NUMBER = /^-?\d+$/;

/** A whole number of a query, within the bounds, both included; the handler sees a number. */
export function WholeNumber({ min, max }: { min: number; max: number }): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' && WHOLE_NUMBER.test(value) ? Number(value) : value,
    ),
    IsInt({ message: '$property must be a whole number' }),
    Min(min),
    Max(max),
  );
}
