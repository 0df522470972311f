import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import { IsBoolean, IsInt, IsOptional, IsUUID, Max, Min, Validate, ValidatorConstraint } from 'class-validator';
import type { ValidationArguments, ValidatorConstraintInterface } from 'class-validator';
import type { PageRequest } from '../../common/paging';

@ValidatorConstraint({ name: 'eitherOffsetOrCursor' })
class EitherOffsetOrCursor implements ValidatorConstraintInterface {
  validate(_value: unknown, { object }: ValidationArguments): boolean {
    const { offset, cursor } = object as PageQuery;
    return offset === undefined || cursor === undefined;
  }

  defaultMessage(): string {
    return 'use either offset or cursor';
  }
}

/** How every list is asked for. A list's own query extends it with its filters. */
export class PageQuery implements PageRequest {
  @ApiPropertyOptional({ description: 'Rows of one page', minimum: 1, maximum: 100, default: 20 })
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100)
  limit: number = 20;

  @ApiPropertyOptional({ description: 'Rows to skip; either this or cursor', minimum: 0, maximum: 10_000 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(10_000)
  offset?: number;

  @ApiPropertyOptional({ description: 'Where the page begins, from the Link header of the page before' })
  @IsOptional()
  @IsUUID()
  @Validate(EitherOffsetOrCursor)
  cursor?: string;

  @ApiPropertyOptional({ description: 'Whether X-Total-Count is wanted: exact to 10,000, then 10000+', type: Boolean })
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value))
  @IsBoolean()
  count?: boolean;
}
