import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ERROR_CODES, type ErrorCode } from '../../common/error-codes';

/** One field at fault, as the API documents it. */
export class FieldErrorResponse {
  @ApiProperty({ description: 'Path of the field in the request', example: 'to' })
  field: string;

  @ApiProperty({ description: 'What is wrong with it', example: 'to must be a string' })
  message: string;

  @ApiPropertyOptional({ description: 'A product that is short' })
  product_id?: string;

  @ApiPropertyOptional({ type: 'integer', description: 'Pieces that there are of it' })
  available?: number;
}

/** The one error shape, as the API documents it. */
export class ErrorResponse {
  @ApiProperty({ description: 'What went wrong, for a person' })
  error: string;

  @ApiProperty({ description: 'What went wrong, for a program', enum: Object.keys(ERROR_CODES) })
  code: ErrorCode;

  @ApiProperty({ description: 'Equals the X-Request-Id header' })
  requestId: string;

  @ApiPropertyOptional({ description: 'Only where fields are at fault', type: [FieldErrorResponse] })
  details?: FieldErrorResponse[];

  @ApiPropertyOptional({ description: 'Only with INSUFFICIENT_STOCK: pieces that there are', type: 'integer' })
  available?: number;
}
