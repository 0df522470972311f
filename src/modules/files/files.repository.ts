import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../common/paging';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';

/** A file as it is stored. */
export interface FileRow {
  id: string;
  /** Whoever stored it; null where it came in as a message, whose id it has then. */
  user_id: string | null;
  name: string;
  size_bytes: number;
  /** By its bytes. */
  mime_type: string;
  /** Lowercase hexadecimal. */
  sha256: string;
  storage_key: string;
  version: number;
  created_at: Date;
}

/** Which files are meant; what is absent narrows nothing. */
export interface FileFilter {
  /** Of the caller's own, where it sees no others. */
  ownerId?: string;
  userId?: string;
  /** `image/png`, or `image/*`. */
  mimeType?: string;
  /** A part of the name. */
  q?: string;
}

// Sizes are far below 2^53: as numbers, not as the texts that `bigint` comes as.
const COLUMNS = `id, user_id, name, size_bytes::float8 as size_bytes, mime_type, sha256, storage_key, version, created_at`;

const FILTERED = `tenant_id = $1 and ($2::uuid is null or user_id = $2) and ($3::uuid is null or user_id = $3)
  and ($4::text is null or mime_type like $4) and ($5::text is null or name ilike $5)`;

const escaped = (text: string): string => text.replace(/[\\%_]/g, '\\$&');

/** The queries on `files`. */
@Injectable()
export class FilesRepository {
  constructor(private readonly db: TenantDatabase) {}

  /** Null when there is none. */
  async findById(tenantId: string, id: string): Promise<FileRow | null> {
    const text = `select ${COLUMNS} from files where tenant_id = $1 and id = $2`;
    const [row] = await this.db.query<FileRow>(tenantId, text, [tenantId, id]);
    return row ?? null;
  }

  /** The same, held for this transaction: no message takes it up meanwhile. */
  async lockById(tx: TenantTransaction, tenantId: string, id: string): Promise<FileRow | null> {
    const text = `select ${COLUMNS} from files where tenant_id = $1 and id = $2 for update`;
    const [row] = await tx.query<FileRow>(text, [tenantId, id]);
    return row ?? null;
  }

  /** Newest first, one more than asked for. */
  list(tenantId: string, filter: FileFilter, { limit, cursor, offset }: PageRequest): Promise<FileRow[]> {
    const text = `select ${COLUMNS} from files where ${FILTERED} and ($6::uuid is null or id < $6)
      order by id desc limit $7 offset $8`;
    const params = [...paramsOf(tenantId, filter), cursor ?? null, limit + 1, offset ?? 0];
    return this.db.queryOnce<FileRow>(tenantId, text, params);
  }

  /** How many there are, counted no further than the cap. */
  async count(tenantId: string, filter: FileFilter, cap: number): Promise<number> {
    const text = `select count(*)::int as count from (select from files where ${FILTERED} limit $6) t`;
    const [row] = await this.db.queryOnce<{ count: number }>(tenantId, text, [...paramsOf(tenantId, filter), cap]);
    return row?.count ?? 0;
  }

  /** Stores the row of a file whose object is there. */
  async insert(
    tx: TenantTransaction,
    tenantId: string,
    file: Omit<FileRow, 'version' | 'created_at'>,
  ): Promise<FileRow> {
    const { id, user_id, name, size_bytes, mime_type, sha256, storage_key } = file;
    const [row] = await tx.query<FileRow>(
      `insert into files (tenant_id, id, user_id, name, size_bytes, mime_type, sha256, storage_key)
        values ($1, $2, $3, $4, $5, $6, $7, $8) returning ${COLUMNS}`,
      [tenantId, id, user_id, name, size_bytes, mime_type, sha256, storage_key],
    );
    if (!row) throw new Error('A file was not stored');
    return row;
  }

  /** Renames a file that is held. */
  async rename(tx: TenantTransaction, tenantId: string, id: string, name: string): Promise<FileRow> {
    const text = `update files set name = $3, version = version + 1, updated_at = now()
      where tenant_id = $1 and id = $2 returning ${COLUMNS}`;
    const [row] = await tx.query<FileRow>(text, [tenantId, id, name]);
    if (!row) throw new Error('A file that was held is gone');
    return row;
  }

  /** Removes a file that is held; its object is another matter. */
  async remove(tx: TenantTransaction, tenantId: string, id: string): Promise<void> {
    await tx.query(`delete from files where tenant_id = $1 and id = $2`, [tenantId, id]);
  }
}

const paramsOf = (tenantId: string, { ownerId, userId, mimeType, q }: FileFilter): unknown[] => [
  tenantId,
  ownerId ?? null,
  userId ?? null,
  mimeType === undefined ? null : escaped(mimeType).replace(/\/\*$/, '/%'),
  q === undefined ? null : `%${escaped(q)}%`,
];
