import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { Optional } from '../../platform/http/optional.rule';
import { EXPORT_FORMATS, type ExportFormat } from './exports.service';

/** How an export is written. */
export class ExportQuery {
  /** Where it is left out, `Accept` says it; lines of JSON where that does not either. */
  @ApiPropertyOptional({ enum: EXPORT_FORMATS })
  @Optional()
  @IsIn(EXPORT_FORMATS)
  format?: ExportFormat;
}
