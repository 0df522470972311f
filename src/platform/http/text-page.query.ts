import { ApiPropertyOptional, OmitType } from '@nestjs/swagger';
import { Matches, Validate } from 'class-validator';
import { TEXT_ID } from '../../common/ids';
import type { PageRequest } from '../../common/paging';
import { Optional } from './optional.rule';
import { EitherOffsetOrCursor, PageQuery } from './page.query';

/** How a list is asked for whose rows have text ids (products, customers, orders): its cursor is the last row's id. */
export class TextPageQuery extends OmitType(PageQuery, ['cursor'] as const) implements PageRequest {
  @ApiPropertyOptional({ description: 'Where the page begins, from the Link header of the page before', maxLength: 64 })
  @Optional()
  @Matches(TEXT_ID, { message: 'cursor must be one of a Link header' })
  @Validate(EitherOffsetOrCursor)
  cursor?: string;
}
