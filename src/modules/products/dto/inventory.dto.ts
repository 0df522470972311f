import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, Max, Min, Validate, ValidateIf, ValidatorConstraint } from 'class-validator';
import type { ValidationArguments, ValidatorConstraintInterface } from 'class-validator';
import { Optional } from '../../../platform/http/optional.rule';
import { MAX_STOCK } from '../product';

@ValidatorConstraint({ name: 'eitherQuantityOrRestock' })
class EitherQuantityOrRestock implements ValidatorConstraintInterface {
  validate(_value: unknown, { object }: ValidationArguments): boolean {
    return (object as InventoryDto).quantity === undefined;
  }

  defaultMessage(): string {
    return 'use either quantity or restock';
  }
}

/** A change of stock: either of the two. */
export class InventoryDto {
  @ApiPropertyOptional({ description: 'Pieces to take', minimum: 1, maximum: MAX_STOCK, type: 'integer' })
  @IsInt({ message: '$property must be a whole number' })
  @Min(1)
  @Max(MAX_STOCK)
  @ValidateIf(({ quantity, restock }: InventoryDto) => quantity !== undefined || restock === undefined)
  quantity?: number;

  @ApiPropertyOptional({ description: 'Pieces to add', minimum: 1, maximum: MAX_STOCK, type: 'integer' })
  @Optional()
  @IsInt({ message: '$property must be a whole number' })
  @Min(1)
  @Max(MAX_STOCK)
  @Validate(EitherQuantityOrRestock)
  restock?: number;
}
