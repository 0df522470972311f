import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, IsString, Length, Validate, ValidatorConstraint } from 'class-validator';
import type { ValidationArguments, ValidatorConstraintInterface } from 'class-validator';
import { MAX_LIMIT, MAX_OFFSET, type PageRequest } from '../../common/paging';
import { Id } from './id.rule';
import { Optional } from './optional.rule';
import { WholeNumber } from './whole-number.rule';

/** The page begins in one way. */
@ValidatorConstraint({ name: 'eitherOffsetOrCursor' })
export class EitherOffsetOrCursor implements ValidatorConstraintInterface {
  validate(_value: unknown, { object }: ValidationArguments): boolean {
    const { offset, cursor } = object as PageRequest;
    return offset === undefined || cursor === undefined;
  }

  defaultMessage(): string {
    return 'use either offset or cursor';
  }
}

/** How long a cursor may be that holds what its list is ordered by. */
const MAX_CURSOR_CHARACTERS = 2048;

/** What every list takes. */
class AnyPageQuery {
  @ApiPropertyOptional({ description: 'Rows of one page', minimum: 1, maximum: MAX_LIMIT, default: 20 })
  @WholeNumber({ min: 1, max: MAX_LIMIT })
  limit: number = 20;

  @ApiPropertyOptional({ description: 'Rows to skip; either this or cursor', minimum: 0, maximum: MAX_OFFSET })
  @Optional()
  @WholeNumber({ min: 0, max: MAX_OFFSET })
  offset?: number;

  @ApiPropertyOptional({ description: 'Whether X-Total-Count is wanted: exact to 10,000, then 10000+', type: Boolean })
  @Optional()
  @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value))
  @IsBoolean()
  count?: boolean;
}

/** How every list is asked for. A list's own query extends it with its filters. */
export class PageQuery extends AnyPageQuery implements PageRequest {
  @ApiPropertyOptional({ description: 'Where the page begins, from the Link header of the page before' })
  @Optional()
  @Id()
  @Validate(EitherOffsetOrCursor)
  cursor?: string;
}

/** The same for a list in an order of the caller's choice: its cursors hold more than an id. */
export class OrderedPageQuery extends AnyPageQuery implements PageRequest {
  @ApiPropertyOptional({ description: 'Where the page begins, from the Link header of the page before' })
  @Optional()
  @IsString()
  @Length(1, MAX_CURSOR_CHARACTERS)
  @Validate(EitherOffsetOrCursor)
  cursor?: string;
}
