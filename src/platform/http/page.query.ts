import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, Validate, ValidatorConstraint } from 'class-validator';
import type { ValidationArguments, ValidatorConstraintInterface } from 'class-validator';
import { MAX_OFFSET, type PageRequest } from '../../common/paging';
import { Id } from './id.rule';
import { Optional } from './optional.rule';
import { WholeNumber } from './whole-number.rule';

/** The page begins in one way. */
@ValidatorConstraint({ name: 'eitherOffsetOrCursor' })
export class EitherOffsetOrCursor implements ValidatorConstraintInterface {
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
  @WholeNumber({ min: 1, max: 100 })
  limit: number = 20;

  @ApiPropertyOptional({ description: 'Rows to skip; either this or cursor', minimum: 0, maximum: MAX_OFFSET })
  @Optional()
  @WholeNumber({ min: 0, max: MAX_OFFSET })
  offset?: number;

  @ApiPropertyOptional({ description: 'Where the page begins, from the Link header of the page before' })
  @Optional()
  @Id()
  @Validate(EitherOffsetOrCursor)
  cursor?: string;

  @ApiPropertyOptional({ description: 'Whether X-Total-Count is wanted: exact to 10,000, then 10000+', type: Boolean })
  @Optional()
  @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value))
  @IsBoolean()
  count?: boolean;
}
