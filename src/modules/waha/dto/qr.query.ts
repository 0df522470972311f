import { IsIn, IsOptional } from 'class-validator';

export class QrQuery {
  /** `raw` answers the value instead of a picture. */
  @IsOptional()
  @IsIn(['image', 'raw'])
  format?: 'image' | 'raw';
}
