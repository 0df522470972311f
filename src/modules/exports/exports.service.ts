import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { csvLine } from '../../common/csv-cell';
import type { AuditAction } from '../../platform/audit/audit-actions';
import { AuditLog } from '../../platform/audit/audit-log';
import { EXPORT_KINDS, type ExportKind, type ExportKindName } from './export-kinds';
import { ExportsRepository, FIRST } from './exports.repository';

export const EXPORT_FORMATS = ['ndjson', 'csv'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Rows that are in memory at once: one may be some 40 KB. */
const PORTION = 100;

const ACTIONS: Readonly<Record<ExportKindName, AuditAction>> = {
  products: 'PRODUCTS_EXPORTED',
  customers: 'CUSTOMERS_EXPORTED',
  orders: 'ORDERS_EXPORTED',
};

/** Some rows as they are written, and the id behind which the next ones begin; null behind the last. */
interface Portion {
  text: string;
  after: string | null;
}

/** Writes what a tenant has as files. */
@Injectable()
export class ExportsService {
  constructor(
    private readonly rows: ExportsRepository,
    private readonly audit: AuditLog,
  ) {}

  /**
   * All rows, in the order of their ids, read portion by portion as they are taken: a reader that goes away ends it. Each
   * portion is of its own moment: a row that is changed meanwhile is there once, as it was or as it is; one that is made or
   * deleted meanwhile may be there or not.
   */
  async export(actor: Actor, name: ExportKindName, format: ExportFormat): Promise<Readable> {
    const kind = EXPORT_KINDS[name];
    const first = await this.portion(actor.tenantId, kind, format, FIRST); // what cannot be read is refused, not broken off
    this.audit.note(actor.tenantId, actor, { action: ACTIONS[name], resource: name, metadata: { format } });
    return Readable.from(this.text(actor.tenantId, kind, format, first), { objectMode: false });
  }

  private async *text(
    tenantId: string,
    kind: ExportKind,
    format: ExportFormat,
    first: Portion,
  ): AsyncGenerator<string> {
    if (format === 'csv') yield csvLine(kind.columns);
    let portion = first;
    for (;;) {
      if (portion.text !== '') yield portion.text;
      if (portion.after === null) return;
      portion = await this.portion(tenantId, kind, format, portion.after);
    }
  }

  private async portion(tenantId: string, kind: ExportKind, format: ExportFormat, after: string): Promise<Portion> {
    if (format === 'csv') {
      const rows = await this.rows.cells(tenantId, kind, after, PORTION);
      return { text: rows.map(({ cells }) => csvLine(cells)).join(''), after: nextOf(rows) };
    }
    const rows = await this.rows.lines(tenantId, kind, after, PORTION);
    return { text: rows.map(({ line }) => `${line}\n`).join(''), after: nextOf(rows) };
  }
}

const nextOf = (rows: readonly { id: string }[]): string | null =>
  rows.length < PORTION ? null : (rows.at(-1)?.id ?? null);
