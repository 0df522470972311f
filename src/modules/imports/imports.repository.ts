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

/** What became of an attempt to begin one. */
export type Beginning = 'begun' | 'there' | 'crowded';

/** An upload that nobody went on with for so long is given up. */
const UPLOAD_LEASE = `interval '5 minutes'`;

const COLUMNS = `id, kind, format, status, size_bytes, read, inserted, updated, unchanged, refused, error, created_at,
  started_at, finished_at`;

/** One import of a tenant begins at a time: of those that come together none is overlooked by another. */
const TURN = `select pg_advisory_xact_lock(hashtextextended('imports of ' || $1::text, 0))`;

const BEGIN = `
  with there as (select from imports where tenant_id = $1 and id = $2),
  open as (
    select count(*) as count from imports where tenant_id = $1 and status in ('uploading', 'queued', 'running')),
  made as (
    insert into imports (tenant_id, id, kind, format, actor_kind, actor_id, storage_key, due_at)
    select $1::uuid, $2::uuid, $3::text, $4::text, $5::text, $6::uuid, $7::text, now() + ${UPLOAD_LEASE} from open
    where count < $8::int and not exists (select from there) returning id)
  select case when exists (select from made) then 'begun' when exists (select from there) then 'there' else 'crowded' end as outcome`;

const ACCEPT = `
  update imports set status = 'queued', size_bytes = $4, sha256 = $5, due_at = now(), attempts = 0
  where tenant_id = $1 and id = $2 and storage_key = $3 and status = 'uploading' returning id`;

/** What is asked of imports for one tenant, apart from working them off. */
@Injectable()
export class ImportsRepository {
  constructor(private readonly db: TenantDatabase) {}

  /**
   * Notes that a file comes in, before anything is stored of it, unless there is an import of that id (`there`), or so many
   * wait, run or come in already (`crowded`), however many begin at once and in whichever process.
   */
  begin(
    { tenantId, kind: actorKind, id: actorId }: Actor,
    { id, kind, format, storageKey }: Upload,
    most: number,
  ): Promise<Beginning> {
    const params = [tenantId, id, kind, format, actorKind, actorId, storageKey, most];
    return this.db.transaction(tenantId, async (tx) => {
      await tx.query(TURN, [tenantId]);
      const [row] = await tx.query<{ outcome: Beginning }>(BEGIN, params);
      return row?.outcome ?? 'crowded';
    });
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
