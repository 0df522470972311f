import { Controller, Get, Query, Res, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../common/actor';
import { Access, CurrentActor } from '../../platform/http/access.decorators';
import { sendPage } from '../../platform/http/page-headers';
import { EXPORT_TYPES } from './audit-export';
import type { AuditLogFilter } from './audit-logs.repository';
import { AuditService } from './audit.service';
import { auditLogResponse, AuditLogResponse } from './dto/audit-log.response';
import { AuditExportQuery, AuditLogsQuery } from './dto/audit-logs.query';
import { VerifyQuery } from './dto/verify.query';
import { verifyResponse, VerifyResponse } from './dto/verify.response';
import type { NotedHead } from './verifier.service';

const EXPORTED = {
  'application/x-ndjson': { schema: { type: 'string', format: 'binary' } },
  'text/csv': { schema: { type: 'string', format: 'binary' } },
};

/** Who did what. */
@ApiTags('Audit')
@Controller('audit')
export class AuditController {
  constructor(private readonly audit: AuditService) {}

  /** The audit trail, newest first. MANAGER and AGENT see what they did themselves. */
  @Get('logs')
  @Access('audit:read')
  @ApiOkResponse({ type: [AuditLogResponse] })
  async list(
    @CurrentActor() actor: Actor,
    @Query() query: AuditLogsQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AuditLogResponse[]> {
    return sendPage(reply, await this.audit.list(actor, filterOf(query), query), query).map(auditLogResponse);
  }

  /** The same as one file, however long: a JSON object a line, or CSV. */
  @Get('logs/export')
  @Access('audit:read')
  @ApiOkResponse({ description: 'A line for each record, newest first', content: EXPORTED })
  export(
    @CurrentActor() actor: Actor,
    @Query() query: AuditExportQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): StreamableFile {
    const { format } = query;
    reply.header('cache-control', 'no-store');
    return new StreamableFile(this.audit.export(actor, filterOf(query), format), {
      type: EXPORT_TYPES[format],
      disposition: `attachment; filename="audit.${format}"`,
    });
  }

  /** Checks the trail: that no record was changed, removed, moved or slipped in since it was sealed. */
  @Get('verify')
  @Access('audit:verify')
  @ApiOkResponse({ type: VerifyResponse })
  async verify(@CurrentActor() actor: Actor, @Query() { head }: VerifyQuery): Promise<VerifyResponse> {
    return verifyResponse(await this.audit.verify(actor, head === undefined ? undefined : notedHead(head)));
  }
}

const filterOf = ({
  user_id: userId,
  action,
  resource,
  from,
  to,
}: AuditLogsQuery | AuditExportQuery): AuditLogFilter => ({
  userId,
  action,
  resource,
  from,
  to,
});

function notedHead(text: string): NotedHead {
  const [seq = '', digest = ''] = text.split(':');
  return { seq: Number(seq), digest };
}
