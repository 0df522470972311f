import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../../platform/database/tenant-database';
import type { ExportKind } from './export-kinds';

/** Before every id. */
export const FIRST = '';

/** Reads what is exported of one tenant, in the order of ids. */
@Injectable()
export class ExportsRepository {
  constructor(private readonly db: TenantDatabase) {}

  /** The next rows behind that id, each as a JSON text. */
  lines(tenantId: string, kind: ExportKind, after: string, limit: number): Promise<{ id: string; line: string }[]> {
    return this.db.query(tenantId, kind.lines, [tenantId, after, limit]);
  }

  /** The same as the texts of the columns; null where there is no value. */
  cells(
    tenantId: string,
    kind: ExportKind,
    after: string,
    limit: number,
  ): Promise<{ id: string; cells: (string | null)[] }[]> {
    return this.db.query(tenantId, kind.cells, [tenantId, after, limit]);
  }
}
