import { ApiPropertyOptional, OmitType } from '@nestjs/swagger';
import { IsIn, Matches } from 'class-validator';
import { Optional } from '../../../platform/http/optional.rule';
import { PageQuery } from '../../../platform/http/page.query';

export const ERROR_FORMATS = ['json', 'ndjson', 'csv'] as const;
export type ErrorFormat = (typeof ERROR_FORMATS)[number];

/** How the refused rows are wanted. */
export class ImportErrorsQuery extends OmitType(PageQuery, ['cursor', 'count']) {
  @ApiPropertyOptional({ description: 'Where the page begins, from the Link header of the page before', type: String })
  @Optional()
  @Matches(/^\d{1,15}$/, { message: 'cursor must be one of a Link header' })
  cursor?: string;

  /** `json` is a page; the others are all of them, as a file. `Accept` says the same. */
  @ApiPropertyOptional({ enum: ERROR_FORMATS, default: 'json' })
  @Optional()
  @IsIn(ERROR_FORMATS)
  format?: ErrorFormat;
}
