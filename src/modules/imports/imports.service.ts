import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { csvLine } from '../../common/csv-cell';
import { type Page, pageOf } from '../../common/paging';
import { AuditLog } from '../../platform/audit/audit-log';
import { ImportErrors } from './imports.errors';
import { type ImportErrorRow, type ImportFormat, type ImportRow, ImportsRepository } from './imports.repository';

const ERRORS_PORTION = 1_000;

/** Tells what became of files. */
@Injectable()
export class ImportsService {
  constructor(
    private readonly imports: ImportsRepository,
    private readonly audit: AuditLog,
  ) {}

  /** @throws NOT_FOUND */
  async get(actor: Actor, id: string): Promise<ImportRow> {
    const row = await this.imports.findById(actor.tenantId, id);
    if (!row) throw ImportErrors.notFound();
    return row;
  }

  /** The rows that were refused, in the order of the file. @throws NOT_FOUND */
  async errors(
    actor: Actor,
    id: string,
    page: { limit: number; offset?: number; cursor?: string },
  ): Promise<Page<ImportErrorRow>> {
    await this.get(actor, id);
    const { cursor: after, ...rest } = page;
    return pageOf(await this.imports.errors(actor.tenantId, id, { ...rest, after }), page.limit);
  }

  /** All of them as a file, in the same order, read portion by portion as it is taken. @throws NOT_FOUND */
  async errorLines(actor: Actor, id: string, format: ImportFormat): Promise<AsyncGenerator<string>> {
    await this.get(actor, id);
    const entry = { action: 'IMPORT_ERRORS_EXPORTED', resource: `import:${id}`, metadata: { format } } as const;
    this.audit.note(actor.tenantId, actor, entry);
    return this.allErrors(actor.tenantId, id, format);
  }

  private async *allErrors(tenantId: string, id: string, format: ImportFormat): AsyncGenerator<string> {
    if (format === 'csv') yield csvLine(['line', 'id', 'field', 'reason']);
    let after: string | undefined = '0';
    while (after !== undefined) {
      const rows: ImportErrorRow[] = await this.imports.errors(tenantId, id, { limit: ERRORS_PORTION, after });
      const { items, nextCursor } = pageOf(rows, ERRORS_PORTION);
      yield items.map((row) => lineOf(row, format)).join('');
      after = nextCursor ?? undefined;
    }
  }
}

const lineOf = ({ id, row_id, field, reason }: ImportErrorRow, format: ImportFormat): string =>
  format === 'csv'
    ? csvLine([id, row_id, field, reason])
    : `${JSON.stringify({ line: Number(id), id: row_id, field, reason })}\n`;
