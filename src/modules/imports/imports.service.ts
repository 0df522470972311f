import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';
import { newId } from '../../common/ids';
import { type Page, pageOf } from '../../common/paging';
import { AuditLog } from '../../platform/audit/audit-log';
import { currentContext } from '../../platform/context/request-context';
import { TenantDatabase } from '../../platform/database/tenant-database';
import { Wakeups } from '../../platform/database/wakeups';
import { newStorageKey, ObjectStorage } from '../../platform/storage/object-storage';
import { checkedUpload } from './checked-upload';
import { csvLine } from '../../common/csv-cell';
import { KINDS } from './import-kinds';
import type { ImportKindName } from './import-kind';
import { ImportErrors } from './imports.errors';
import {
  type ImportErrorRow,
  type ImportFormat,
  type ImportRow,
  ImportsRepository,
  type Upload,
} from './imports.repository';

/** A file as it comes in. */
export interface ImportFile {
  format: ImportFormat;
  stream: Readable;
}

/** Imports of one tenant that wait or run: each keeps a file. */
const MAX_OPEN = 20;
const RENEW_EVERY_MS = 60_000;
const ERRORS_PORTION = 1_000;

/** Takes files in, and tells what became of them. */
@Injectable()
export class ImportsService {
  constructor(
    private readonly db: TenantDatabase,
    private readonly imports: ImportsRepository,
    private readonly storage: ObjectStorage,
    private readonly audit: AuditLog,
    private readonly wakeups: Wakeups,
  ) {}

  /**
   * Stores the file and queues its import; when this resolves both are durable. With an idempotency key a repeated call finds
   * the first one's import.
   * @returns the id of the import
   * @throws VALIDATION_FAILED for a file that is empty or has no proper header, RATE_LIMITED while too many imports wait, REQUEST_TIMEOUT for a file that comes in too slowly
   */
  async accept(actor: Actor, kind: ImportKindName, { format, stream }: ImportFile): Promise<string> {
    const { tenantId } = actor;
    const upload: Upload = {
      id: currentContext()?.resourceId ?? newId(),
      kind,
      format,
      storageKey: newStorageKey(tenantId),
    };
    if ((await this.imports.open(tenantId)) >= MAX_OPEN) {
      stream.destroy();
      throw ImportErrors.tooMany(MAX_OPEN);
    }
    if (!(await this.begin(actor, upload))) {
      await finished(stream.resume()); // the first one's file is the one that counts
      return upload.id;
    }
    await this.store(actor, upload, stream);
    return upload.id;
  }

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

  /** False where an earlier call with the same idempotency key got as far as queueing it. */
  private async begin(actor: Actor, upload: Upload): Promise<boolean> {
    const { tenantId } = actor;
    while (!(await this.imports.begin(actor, upload))) {
      const before = await this.imports.findBegun(tenantId, upload.id);
      if (before && before.status !== 'uploading') return false;
      // The call before died while its file came in.
      if (before?.storageKey) await this.giveUp(tenantId, upload.id, before.storageKey);
    }
    return true;
  }

  private async store(actor: Actor, upload: Upload, stream: Readable): Promise<void> {
    const { tenantId } = actor;
    const { kind, format, storageKey } = upload;
    const renewing = setInterval(() => {
      this.imports.renew(tenantId, upload).catch(() => undefined); // the next one may come through
    }, RENEW_EVERY_MS).unref();
    const stored = await this.storage
      .put(storageKey, checkedUpload(stream, KINDS[kind], format))
      .catch(async (error: unknown) => {
        await this.giveUp(tenantId, upload.id, storageKey).catch(() => undefined); // else the worker does it
        throw error;
      })
      .finally(() => clearInterval(renewing));
    const queued = await this.db.transaction(tenantId, async (tx) => {
      if (!(await this.imports.accept(tx, tenantId, upload, stored))) return false;
      const metadata = { kind, format, size_bytes: stored.sizeBytes, sha256: stored.sha256 };
      await this.audit.record(tx, actor, { action: 'IMPORT_STARTED', resource: `import:${upload.id}`, metadata });
      return true;
    });
    // Where it cannot be told whether that was committed, the file stays: the worker finds out.
    if (queued) return this.wakeups.wake('imports');
    await this.storage.delete(storageKey);
    throw ImportErrors.interrupted();
  }

  /** The file first: as long as the row is there, somebody comes back for it. */
  private async giveUp(tenantId: string, id: string, storageKey: string): Promise<void> {
    await this.storage.delete(storageKey);
    await this.imports.forget(tenantId, id, storageKey);
  }
}

const lineOf = ({ id, row_id, field, reason }: ImportErrorRow, format: ImportFormat): string =>
  format === 'csv'
    ? csvLine([id, row_id, field, reason])
    : `${JSON.stringify({ line: Number(id), id: row_id, field, reason })}\n`;
