import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import {
  IsBoolean,
  IsString,
  Length,
  Matches,
  MaxLength,
  registerDecorator,
  Validate,
  ValidatorConstraint,
} from 'class-validator';
import type { ValidationArguments, ValidatorConstraintInterface } from 'class-validator';
import { idPlaceOf } from '../../common/id-cursor';
import { TEXT_ID } from '../../common/ids';
import { MAX_LIMIT, MAX_OFFSET, type PageRequest } from '../../common/paging';
import { parseTimeCursor } from '../../common/time-cursor';
import { Id } from './id.rule';
import { Optional } from './optional.rule';
import { WholeNumber } from './whole-number.rule';

/** The page begins in one way. */
@ValidatorConstraint({ name: 'eitherOffsetOrCursor' })
class EitherOffsetOrCursor implements ValidatorConstraintInterface {
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

const MAX_TIME_CURSOR_CHARACTERS = 200;

const IsCursor =
  (name: string, isCursor: (text: string) => boolean): PropertyDecorator =>
  (target, propertyName) =>
    registerDecorator({
      name,
      target: target.constructor,
      propertyName: String(propertyName),
      validator: {
        validate: (value: unknown) => typeof value === 'string' && isCursor(value),
        defaultMessage: () => '$property must be taken from the Link header of the page before',
      },
    });

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

const FROM = 'Where the page begins, from the Link header of the page before';

/** How every list is asked for. A list's own query extends it with its filters. */
export class PageQuery extends AnyPageQuery implements PageRequest {
  @ApiPropertyOptional({ description: FROM })
  @Optional()
  @Id()
  @Validate(EitherOffsetOrCursor)
  cursor?: string;
}

const MAX_ID_CURSOR_CHARACTERS = 50;

/** The same for a list of which a page may end early (messages): its cursors hold what is left of an offset, too. */
export class LookedPageQuery extends AnyPageQuery implements PageRequest {
  @ApiPropertyOptional({ description: FROM })
  @Optional()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toLowerCase() : value))
  @IsString()
  @MaxLength(MAX_ID_CURSOR_CHARACTERS)
  @IsCursor('isIdCursor', (text) => idPlaceOf(text) !== null)
  @Validate(EitherOffsetOrCursor)
  cursor?: string;
}

/** The same for a list in an order of the caller's choice: its cursors hold more than an id. */
export class OrderedPageQuery extends AnyPageQuery implements PageRequest {
  @ApiPropertyOptional({ description: FROM })
  @Optional()
  @IsString()
  @Length(1, MAX_CURSOR_CHARACTERS)
  @Validate(EitherOffsetOrCursor)
  cursor?: string;
}

/** The same for rows whose ids are texts, and which stay (orders): the cursor is the last row's id. */
export class TextPageQuery extends AnyPageQuery implements PageRequest {
  @ApiPropertyOptional({ description: FROM, maxLength: 64 })
  @Optional()
  @Matches(TEXT_ID, { message: 'cursor must be one of a Link header' })
  @Validate(EitherOffsetOrCursor)
  cursor?: string;
}

/** The same for rows that go by their time, and may be gone before the next page is asked for (customers). */
export class TimePageQuery extends AnyPageQuery implements PageRequest {
  @ApiPropertyOptional({ description: FROM })
  @Optional()
  @IsString()
  @MaxLength(MAX_TIME_CURSOR_CHARACTERS)
  @IsCursor('isTimeCursor', (text) => parseTimeCursor(text) !== null)
  @Validate(EitherOffsetOrCursor)
  cursor?: string;
}
