import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { AppError } from '../../common/app-error';
import { AuditLog } from '../../platform/audit/audit-log';
import { rerun } from '../../platform/database/rerun';
import { TenantDatabase, type TenantTransaction } from '../../platform/database/tenant-database';
import { BackgroundStorage, type ByteRange } from '../../platform/storage/object-storage';
import { ProductsCache } from '../products/products-cache.service';
import { readHeader, ruleOf } from './header';
import { checkedRow, type ImportKind } from './import-kind';
import { KINDS } from './import-kinds';
import { ImportProgress } from './import-progress.repository';
import type { ImportJob } from './import-queue.service';
import { type FoundRecord, LONGEST_RECORD_BYTES, type Place, recordsOf } from './records';
import { RowWriter, type Written } from './row-writer';
import { type ReadRow, type ReadRows, refusalOf, rowsOfLines, rowsOfTable } from './rows';

/**
 * Rows of one transaction, and how many bytes of them, about. What is alive while PostgreSQL works outlives the collector's
 * young generation: larger portions write hardly faster and leave more garbage to the old one.
 */
const PORTION_ROWS = 100;
const PORTION_BYTES = 128 * 1024;

/** The file cannot be read on: nothing would come of trying again. The message is for people. */
class Unreadable extends Error {}

/**
 * Works an import off: portion by portion, each in one transaction with how far it got, so that a worker may die anywhere and
 * the next one goes on behind the last portion that is committed.
 */
@Injectable()
export class ImportRunner {
  constructor(
    private readonly db: TenantDatabase,
    private readonly storage: BackgroundStorage,
    private readonly progress: ImportProgress,
    private readonly audit: AuditLog,
    private readonly products: ProductsCache,
  ) {}

  /** Resolves when the import has ended. @throws LeaseLost; or whatever else is to be tried again; the signal's reason */
  async run(job: ImportJob, signal: AbortSignal): Promise<void> {
    try {
      const from = await this.workOff(job, signal);
      await this.end(job, from, null);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      await this.end(job, null, error.message);
    }
  }

  /** The import is given up, with what is said to people; what of it is done stays. */
  giveUp(job: ImportJob, message: string): Promise<void> {
    return this.end(job, null, message);
  }

  private async workOff(job: ImportJob, signal: AbortSignal): Promise<Place> {
    const kind = KINDS[job.kind];
    const header = job.format === 'csv' ? await this.header(job, kind, signal) : null;
    let place = job.place;
    for await (const records of this.portions(job, header?.next ?? place, signal)) {
      signal.throwIfAborted();
      const next = records.at(-1)?.next ?? place;
      const read = header
        ? rowsOfTable(records, header.names, kind.columns)
        : rowsOfLines(records, kind.columns, kind.amounts);
      await this.write(job, kind, { from: place, next, read });
      place = next;
    }
    return place;
  }

  private async header(job: ImportJob, kind: ImportKind, signal: AbortSignal) {
    const last = Math.min(job.sizeBytes, LONGEST_RECORD_BYTES) - 1;
    const beginning = await this.open(job, { first: 0, last }, signal); // what it throws says nothing of the file
    try {
      return await readHeader(beginning, kind);
    } catch (error) {
      // It was checked when the file came in; a column may have gone from the service since.
      throw error instanceof AppError ? new Unreadable(error.details?.[0]?.message ?? error.message) : error;
    }
  }

  /** The records from where the import is on. @param start where rows begin */
  private async *portions(job: ImportJob, start: Place, signal: AbortSignal): AsyncGenerator<FoundRecord[]> {
    const from = job.place.byte > start.byte ? job.place : start;
    if (from.byte >= job.sizeBytes) return;
    const stream = await this.open(job, { first: from.byte, last: job.sizeBytes - 1 }, signal);
    let portion: FoundRecord[] = [];
    let bytes = 0;
    for await (const record of recordsOf(stream, ruleOf(job.format), from)) {
      portion.push(record);
      bytes += record.bytes.length;
      if (portion.length < PORTION_ROWS && bytes < PORTION_BYTES) continue;
      yield portion;
      portion = [];
      bytes = 0;
    }
    if (portion.length > 0) yield portion;
  }

  private async open({ storageKey }: ImportJob, range: ByteRange, signal: AbortSignal): Promise<Readable> {
    const stream = storageKey === null ? null : await this.storage.get(storageKey, range, { signal });
    if (!stream) throw new Unreadable('The file is gone');
    return stream;
  }

  private async write(job: ImportJob, kind: ImportKind, { from, next, read }: Portion): Promise<void> {
    const { tenantId } = job;
    const checked = this.checked(kind, read);
    const ids = checked.rows.map(({ fields }) => fields.id as string);
    await this.changing(job, ids, () =>
      rerun(() =>
        this.db.transaction(tenantId, async (tx) => {
          await this.progress.hold(tx, job, from);
          const outcome = await new RowWriter(tx, tenantId, kind).write(checked.rows);
          outcome.refused.push(...checked.refused);
          await this.progress.advance(tx, job, next, outcome);
          await this.record(tx, job, { from, next, written: outcome, fields: fieldsOf(checked.rows) });
        }),
      ),
    );
  }

  /** What the portion added and changed, in its transaction: however an import ends, no change of it is without a record. */
  private async record(
    tx: TenantTransaction,
    { tenantId, id, kind, actorKind, actorId }: ImportJob,
    { from, next, written, fields }: RecordedPortion,
  ): Promise<void> {
    const [added, changed] = [[...written.added], [...written.changed]];
    if (added.length + changed.length === 0) return;
    const metadata = { kind, lines: { first: from.line + 1, last: next.line }, fields, added, changed };
    const entry = { action: 'IMPORT_ROWS_WRITTEN', resource: `import:${id}`, metadata } as const;
    await this.audit.recordAs(tx, tenantId, { kind: actorKind, id: actorId }, entry);
  }

  /** Whoever keeps copies of such rows learns of the change here. */
  private changing({ kind, tenantId }: ImportJob, ids: string[], work: () => Promise<void>): Promise<void> {
    return kind === 'products' ? this.products.changing(tenantId, ids, work) : work();
  }

  private checked(kind: ImportKind, { rows, refused }: ReadRows): ReadRows {
    const result: ReadRows = { rows: [], refused: [...refused] };
    for (const row of rows) {
      const outcome = checkedRow(kind, row.fields);
      if ('fault' in outcome) result.refused.push(refusalOf(row.line, row.fields, outcome.fault));
      else result.rows.push({ line: row.line, fields: outcome.fields });
    }
    return result;
  }

  private async end(job: ImportJob, from: Place | null, error: string | null): Promise<void> {
    const { tenantId, id, kind, actorKind, actorId } = job;
    await this.db.transaction(tenantId, async (tx) => {
      await this.progress.hold(tx, job, from);
      const counts = await this.progress.end(tx, job, error);
      const numbers = Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, Number(count)]));
      const metadata = { kind, status: error === null ? 'finished' : 'failed', ...numbers };
      const entry = { action: 'IMPORT_FINISHED', resource: `import:${id}`, metadata } as const;
      await this.audit.recordAs(tx, tenantId, { kind: actorKind, id: actorId }, entry);
    });
  }
}

interface Portion {
  from: Place;
  next: Place;
  read: ReadRows;
}

interface RecordedPortion {
  from: Place;
  next: Place;
  written: Written;
  /** What its rows name, beside their ids. */
  fields: string[];
}

function fieldsOf(rows: readonly ReadRow[]): string[] {
  const given = rows.flatMap(({ fields }) => Object.entries(fields).filter(([, value]) => value !== undefined));
  const names = new Set(given.map(([name]) => name));
  names.delete('id');
  return [...names].sort();
}
