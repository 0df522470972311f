import { Param, type PipeTransform } from '@nestjs/common';
import { CommonErrors } from '../../common/common.errors';
import { isId } from '../../common/ids';

/** Refuses what is not a UUID before anybody looks for it; the canonical lower-case spelling goes on. */
export class IdPipe implements PipeTransform<string, string> {
  constructor(private readonly name: string) {}

  /** @throws VALIDATION_FAILED that names the parameter */
  transform(value: string): string {
    if (!isId(value)) throw CommonErrors.invalidField(this.name, `${this.name} must be a UUID`);
    return value.toLowerCase();
  }
}

/** The id in the address (`/messages/:id`), checked. */
export const IdParam = (name = 'id'): ParameterDecorator => Param(name, new IdPipe(name));
