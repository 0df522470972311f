import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { firstIdAt } from '../../common/ids';
import { CommonErrors } from '../../common/common.errors';
import { COUNT_CAP, type Page, type PageRequest, pageOf, totalOf } from '../../common/paging';
import { AuditLog } from '../../platform/audit/audit-log';
import { type AuditLogFilter, type AuditLogRow, AuditLogsRepository } from './audit-logs.repository';
import { type ExportFormat, headOf, lineOf } from './audit-export';
import { readableBy } from './audit.policy';
import { ChainVerifier, type NotedHead, type Verdict } from './verifier.service';

const EXPORT_PAGE = 1_000;
/** A check reads a whole chain on one connection, for as long as that takes. */
const CHECKS_AT_ONCE = 2;
const CHECK_AGAIN_S = 5;

/** Reading the audit trail. */
@Injectable()
export class AuditService {
  private checks = 0;

  constructor(
    private readonly logs: AuditLogsRepository,
    private readonly verifier: ChainVerifier,
    private readonly audit: AuditLog,
  ) {}

  /** Newest first. */
  async list(actor: Actor, filter: AuditLogFilter, request: PageRequest): Promise<Page<AuditLogRow>> {
    const narrowed = { ...filter, ...readableBy(actor) };
    const page = pageOf(await this.logs.list(actor.tenantId, narrowed, request), request.limit);
    if (!request.count) return page;
    return { ...page, total: totalOf(await this.logs.count(actor.tenantId, narrowed, COUNT_CAP + 1)) };
  }

  /** What there is by now, newest first, read page by page as it is taken: a reader that goes away ends it. */
  export(actor: Actor, filter: AuditLogFilter, format: ExportFormat): Readable {
    const filters = Object.entries(filter).flatMap(([name, value]) => (value === undefined ? [] : [name]));
    this.audit.note(actor.tenantId, actor, {
      action: 'AUDIT_EXPORTED',
      resource: 'audit',
      metadata: { format, filters },
    });
    const narrowed = { ...filter, ...readableBy(actor) };
    return Readable.from(this.pages(actor.tenantId, narrowed, format), { objectMode: false });
  }

  /** Checks the chain of the actor's tenant. @throws RATE_LIMITED while others are being checked */
  async verify(actor: Actor, noted?: NotedHead): Promise<Verdict> {
    if (this.checks >= CHECKS_AT_ONCE) throw CommonErrors.rateLimited(CHECK_AGAIN_S);
    this.checks += 1;
    try {
      return await this.verifier.verify(actor.tenantId, noted);
    } finally {
      this.checks -= 1;
    }
  }

  private async *pages(tenantId: string, filter: AuditLogFilter, format: ExportFormat): AsyncGenerator<string> {
    yield headOf(format);
    let cursor: string | undefined = firstIdAt(Date.now() + 1);
    while (cursor !== undefined) {
      const rows: AuditLogRow[] = await this.logs.list(tenantId, filter, { limit: EXPORT_PAGE, cursor });
      const { items, nextCursor } = pageOf(rows, EXPORT_PAGE);
      yield items.map((row) => lineOf(format, row)).join('');
      cursor = nextCursor ?? undefined;
    }
  }
}
