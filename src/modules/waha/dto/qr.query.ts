import { IsIn } from 'class-validator';
import { Optional } from '../../../platform/http/optional.rule';

export class QrQuery {
  /** `raw` answers the value instead of a picture. */
  @Optional()
  @IsIn(['image', 'raw'])
  format?: 'image' | 'raw';
}
