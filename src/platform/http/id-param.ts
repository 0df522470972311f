import { Param, type PipeTransform } from '@nestjs/common';
import { CommonErrors } from '../../common/common.errors';
import { isId, TEXT_ID } from '../../common/ids';

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

/** Refuses what cannot be the id of a product, customer or order. */
class TextIdPipe implements PipeTransform<string, string> {
  /** @throws VALIDATION_FAILED */
  transform(value: string): string {
    if (!TEXT_ID.test(value))
      throw CommonErrors.invalidField('id', 'id must be letters, digits, `_`, `.` and `-`, at most 64');
    return value;
  }
}

/** The id in the address of a product, customer or order, checked. */
export const TextIdParam = (): ParameterDecorator => Param('id', new TextIdPipe());
