import type { Type } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';

/** Where @nestjs/swagger keeps what a property says of itself. It inherits all of it but the type. */
const SAID = 'swagger/apiModelProperties';

/**
 * In the API's description: what the fields are that a body of this class leaves out. For a class that inherits its fields
 * from one that others inherit too, for whom they mean something else: what a PATCH leaves out stays as it is.
 */
export const Defaults =
  (values: Readonly<Record<string, unknown>>) =>
  ({ prototype }: Type): void => {
    for (const [name, value] of Object.entries(values)) {
      const { type } = Reflect.getMetadata(SAID, prototype as object, name) as { type: Type };
      ApiPropertyOptional({ type, default: value })(prototype as object, name);
    }
  };
