import { ApiPropertyOptional, OmitType } from '@nestjs/swagger';
import { IsIn, IsString, Length } from 'class-validator';
import { AUDIT_ACTION_NAMES, type AuditAction } from '../../../platform/audit/audit-actions';
import { Id } from '../../../platform/http/id.rule';
import { Optional } from '../../../platform/http/optional.rule';
import { PageQuery } from '../../../platform/http/page.query';
import { Rfc3339 } from '../../../platform/http/rfc3339.rule';
import { EXPORT_FORMATS, type ExportFormat } from '../audit-export';

/** Which records are wanted. */
export class AuditLogsQuery extends PageQuery {
  /** What this user did. */
  @Optional()
  @Id()
  user_id?: string;

  @ApiPropertyOptional({ enum: AUDIT_ACTION_NAMES })
  @Optional()
  @IsIn(AUDIT_ACTION_NAMES)
  action?: AuditAction;

  /** What it was done to, whole (`user:0194…`); of a product or customer also the imports that wrote it. */
  @Optional()
  @IsString()
  @Length(1, 300)
  resource?: string;

  /** At this time or later (RFC 3339). */
  @Optional()
  @Rfc3339()
  from?: Date;

  /** Before this time (RFC 3339). */
  @Optional()
  @Rfc3339()
  to?: Date;
}

/** Which records are wanted, and how they are written: all of them, so in no pages. */
export class AuditExportQuery extends OmitType(AuditLogsQuery, ['limit', 'offset', 'cursor', 'count']) {
  @ApiPropertyOptional({ enum: EXPORT_FORMATS, default: 'ndjson' })
  @IsIn(EXPORT_FORMATS)
  format: ExportFormat = 'ndjson';
}
