import { applyDecorators } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';

const NOT_IDEMPOTENT = Symbol('not idempotent');

type Marked = object & { [NOT_IDEMPOTENT]?: string };

/**
 * The write does not offer `Idempotency-Key`, because its answer may not be kept (secrets): a request with the header is
 * refused rather than run as if the key counted. The reason stands in the code.
 */
export const NotIdempotent = (why: string): MethodDecorator =>
  applyDecorators(
    (_target: object, _name: string | symbol, descriptor: PropertyDescriptor) => {
      (descriptor.value as Marked)[NOT_IDEMPOTENT] = why;
    },
    ApiExtension('x-idempotent', false),
  );

/** Whether the handler carries the mark. */
export const isNotIdempotent = (handler: object): boolean => (handler as Marked)[NOT_IDEMPOTENT] !== undefined;
