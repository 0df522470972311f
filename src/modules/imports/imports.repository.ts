import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';
import type { StoredObject } from '../../platform/storage/object-storage';
import type { ImportKindName } from './import-kind';

export const IMPORT_FORMATS = ['csv', 'ndjson'] as const;
export type ImportFormat = (typeof IMPORT_FORMATS)[number];

/** What people see of an import: `uploading` nobody sees. */
export const IMPORT_STATUSES = ['queued', 'running', 'finished', 'failed'] as const;
export type ImportStatus = (typeof IMPORT_STATUSES)[number];

/** An import as it is read; counts are whole numbers as texts. */
export interface ImportRow {
  id: string;
  kind: ImportKindName;
  format: ImportFormat;
  status: ImportStatus;
  size_bytes: string;
  read: string;
  inserted: string;
  updated: string;
  unchanged: string;
  refused: string;
  error: string | null;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
}

/** A row that was refused; `id` is its line, by which lists go on. */
export interface ImportErrorRow {
  id: string;
  row_id: string | null;
  field: string | null;
  reason: string;
}

/** A file that comes in. */
export interface Upload {
  id: string;
  kind: ImportKindName;
  format: ImportFormat;
  storageKey: string;
}

/** What there is under an id already. */
export interface Begun {
  status: ImportStatus | 'uploading';
  storageKey: string | null;
}

/** An upload that nobody went on with for so long is given up. */
const UPLOAD_LEASE = `interval '5 minutes'`;

const COLUMNS = `id, kind, format, status, size_bytes, read, inserted, updated, unchanged, refused, error, created_at,
  started_at, finished_at`;

const BEGIN = `
  insert into imports (tenant_id, id, kind, format, actor_kind, actor_id, storage_key, due_at)
  values ($1, $2, $3, $4, $5, $6, $7, now() + ${UPLOAD_LEASE}) on conflict (tenant_id, id) do nothing returning id`;

const ACCEPT = `
  update imports set status = 'queued', size_bytes = $4, sha256 = $5, due_at = now(), attempts = 0
  where tenant_id = $1 and id = $2 and storage_key = $3 and status = 'uploading' returning id`;

/** What is asked of imports for one tenant, apart from working them off. */
@Injectable()
export class ImportsRepository {
  constructor(private readonly db: TenantDatabase) {}

  /** How many wait or run, those that are coming in included. */
  async open(tenantId: string): Promise<number> {
    const text = `select count(*)::int as count from imports
      where tenant_id = $1 and status in ('uploading', 'queued', 'running')`;
    const [row] = await this.db.query<{ count: number }>(tenantId, text, [tenantId]);
    return row?.count ?? 0;
  }

  /** Notes that a file comes in, before anything is stored of it; false where there is an import of that id. */
  async begin(
    { tenantId, kind: actorKind, id: actorId }: Actor,
    { id, kind, format, storageKey }: Upload,
  ): Promise<boolean> {
    const params = [tenantId, id, kind, format, actorKind, actorId, storageKey];
    return (await this.db.query(tenantId, BEGIN, params)).length > 0;
  }

  /** What there is under the id; null when nothing is. */
  async findBegun(tenantId: string, id: string): Promise<Begun | null> {
    const text = `select status, storage_key as "storageKey" from imports where tenant_id = $1 and id = $2`;
    const [row] = await this.db.query<Begun>(tenantId, text, [tenantId, id]);
    return row ?? null;
  }

  /** The file is still coming in. */
  async renew(tenantId: string, { id, storageKey }: Upload): Promise<void> {
    const text = `update imports set due_at = now() + ${UPLOAD_LEASE}
      where tenant_id = $1 and id = $2 and storage_key = $3 and status = 'uploading' returning id`;
    await this.db.query(tenantId, text, [tenantId, id, storageKey]);
  }

  /** The file is stored and waits; false where the upload was given up meanwhile. */
  async accept(tx: TenantTransaction, tenantId: string, upload: Upload, stored: StoredObject): Promise<boolean> {
    const { id, storageKey } = upload;
    return (await tx.query(ACCEPT, [tenantId, id, storageKey, stored.sizeBytes, stored.sha256])).length > 0;
  }

  /** Forgets an upload that broke off. */
  async forget(tenantId: string, id: string, storageKey: string): Promise<void> {
    const text = `delete from imports where tenant_id = $1 and id = $2 and storage_key = $3 and status = 'uploading' returning id`;
    await this.db.query(tenantId, text, [tenantId, id, storageKey]);
  }

  /** Null when there is none, or its file has not come in yet. */
  async findById(tenantId: string, id: string): Promise<ImportRow | null> {
    const text = `select ${COLUMNS} from imports where tenant_id = $1 and id = $2 and status <> 'uploading'`;
    const [row] = await this.db.query<ImportRow>(tenantId, text, [tenantId, id]);
    return row ?? null;
  }

  /** The rows that were refused, by line; one more than asked for. */
  errors(
    tenantId: string,
    id: string,
    page: { limit: number; offset?: number; after?: string },
  ): Promise<ImportErrorRow[]> {
    const text = `select line as id, row_id, field, reason from import_errors
      where tenant_id = $1 and import_id = $2 and line > $3::bigint order by line limit $4 offset $5`;
    const params = [tenantId, id, page.after ?? '0', page.limit + 1, page.offset ?? 0];
    return this.db.query<ImportErrorRow>(tenantId, text, params);
  }
}
