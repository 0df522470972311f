import { isDataError, uniqueViolation } from '../../platform/database/database-error';
import type { TenantTransaction } from '../../platform/database/tenant-database';
import type { ImportKind } from './import-kind';
import { type Fault, type ReadRow, type Refusal, refusalOf } from './rows';

/** What became of rows. */
export interface Written {
  inserted: number;
  updated: number;
  unchanged: number;
  refused: Refusal[];
  /** The ids of what was added, and of what was changed that was there before; each once. */
  added: Set<string>;
  changed: Set<string>;
}

const nothingWritten = (): Written => ({
  ...{ inserted: 0, updated: 0, unchanged: 0, refused: [] },
  ...{ added: new Set<string>(), changed: new Set<string>() },
});

const GONE: Fault = { field: 'id', reason: 'id is that of a customer who was deleted' };
const UNKNOWN: Fault = { field: null, reason: 'The row cannot be stored' };

/**
 * Writes rows as if one by one, in their order, and mostly all at once: rows that cannot interfere with each other go in one
 * statement. A row that the table refuses costs itself alone.
 */
export class RowWriter {
  private readonly present = new Set<string>();
  private readonly gone = new Set<string>();
  private readonly unfit = new Set<ReadRow>();

  constructor(
    private readonly tx: TenantTransaction,
    private readonly tenantId: string,
    private readonly kind: ImportKind,
  ) {}

  async write(rows: readonly ReadRow[]): Promise<Written> {
    const written = nothingWritten();
    await this.hold(rows.map(idOf));
    for (const wave of wavesOf(rows)) {
      const alone = await this.suspects(wave);
      for (const run of runsOf(wave, alone)) await this.attempt(run, written);
    }
    return written;
  }

  /** In the order of ids, in which everybody locks them. */
  private async hold(ids: string[]): Promise<void> {
    const params = [this.tenantId, [...new Set(ids)]];
    for (const { id, gone } of await this.tx.query<{ id: string; gone: boolean }>(this.kind.statements.lock, params))
      (gone ? this.gone : this.present).add(id);
  }

  /** Rows that want a value which another row, of the table or of these, has. Those that may not be are noted. */
  private async suspects(rows: readonly ReadRow[]): Promise<Set<ReadRow>> {
    const { look } = this.kind.statements;
    if (look === null) return new Set();
    const found = await this.tx.query<Looked>(look, [this.tenantId, jsonOf(rows)]);
    const looked = new Map(found.map((row) => [row.id, row]));
    for (const row of rows) if (looked.get(idOf(row))?.unfit) this.unfit.add(row);
    const suspects = new Set(rows.filter((row) => looked.get(idOf(row))?.taken));
    for (const field of this.kind.unique) for (const row of sharing(rows, field)) suspects.add(row);
    return suspects;
  }

  /** All of them, or halves of them, down to the row that is refused. */
  private async attempt(rows: readonly ReadRow[], written: Written): Promise<void> {
    await this.tx.query('savepoint portion');
    try {
      const outcome = await this.upsert(rows);
      await this.tx.query('release savepoint portion');
      for (const id of outcome.added) this.present.add(id);
      add(written, outcome);
    } catch (error) {
      if (!isDataError(error)) throw error;
      await this.tx.query('rollback to savepoint portion');
      const [row] = rows;
      if (rows.length === 1 && row) written.refused.push(refusalOf(row.line, row.fields, this.faultOf(error)));
      if (rows.length === 1) return;
      const middle = Math.ceil(rows.length / 2);
      await this.attempt(rows.slice(0, middle), written);
      await this.attempt(rows.slice(middle), written);
    }
  }

  private async upsert(rows: readonly ReadRow[]): Promise<Written> {
    const { old, fresh, refused } = this.sorted(rows);
    const changed = old.length === 0 ? [] : await this.run(this.kind.statements.update, old);
    const insertedIds = fresh.length === 0 ? [] : await this.run(this.kind.statements.insert, fresh);
    const outcome = {
      ...{ inserted: insertedIds.length, updated: changed.length, unchanged: old.length - changed.length, refused },
      ...{ added: new Set(insertedIds), changed: new Set(changed) },
    };
    if (insertedIds.length === fresh.length) return outcome;
    // Somebody made them meanwhile: they are held now, and changed.
    const left = fresh.filter((row) => !outcome.added.has(idOf(row)));
    await this.hold(left.map(idOf));
    add(outcome, await this.upsert(left));
    return outcome;
  }

  private sorted(rows: readonly ReadRow[]): { old: ReadRow[]; fresh: ReadRow[]; refused: Refusal[] } {
    const result: ReturnType<RowWriter['sorted']> = { old: [], fresh: [], refused: [] };
    for (const row of rows) {
      const fault = this.faultOfRow(row);
      if (fault) result.refused.push(refusalOf(row.line, row.fields, fault));
      else (this.present.has(idOf(row)) ? result.old : result.fresh).push(row);
    }
    return result;
  }

  private faultOfRow(row: ReadRow): Fault | null {
    if (this.gone.has(idOf(row))) return GONE;
    if (this.unfit.has(row)) return this.kind.unfit;
    return this.present.has(idOf(row)) ? null : this.missing(row);
  }

  private missing({ fields }: ReadRow): Fault | null {
    const field = this.kind.required.find((name) => fields[name] === undefined);
    return field === undefined ? null : { field, reason: `${field} is required: there is nothing of this id yet` };
  }

  private async run(statement: string, rows: readonly ReadRow[]): Promise<string[]> {
    return (await this.tx.query<{ id: string }>(statement, [this.tenantId, jsonOf(rows)])).map(({ id }) => id);
  }

  private faultOf(error: unknown): Fault {
    return this.kind.faults[uniqueViolation(error) ?? ''] ?? UNKNOWN;
  }
}

const idOf = ({ fields }: ReadRow): string => fields.id as string;
const jsonOf = (rows: readonly ReadRow[]): string => JSON.stringify(rows.map(({ fields }) => fields));

/** What a look at a row says. */
interface Looked {
  id: string;
  taken: boolean;
  unfit: boolean;
}

function add(sum: Written, { inserted, updated, unchanged, refused, added, changed }: Written): void {
  sum.inserted += inserted;
  sum.updated += updated;
  sum.unchanged += unchanged;
  sum.refused.push(...refused);
  for (const id of added) sum.added.add(id);
  // What was added by an earlier row of the portion is new, however often it is changed after that.
  for (const id of changed) if (!sum.added.has(id)) sum.changed.add(id);
}

/** The rows in their order, cut wherever an id comes again: one statement changes a row once. */
function wavesOf(rows: readonly ReadRow[]): ReadRow[][] {
  const waves: ReadRow[][] = [];
  let ids = new Set<string>();
  for (const row of rows) {
    const last = waves.at(-1);
    if (last && !ids.has(idOf(row))) last.push(row);
    else {
      waves.push([row]);
      ids = new Set();
    }
    ids.add(idOf(row));
  }
  return waves;
}

/** The rows in their order: those that go alone, alone. */
function runsOf(rows: readonly ReadRow[], alone: ReadonlySet<ReadRow>): ReadRow[][] {
  const runs: ReadRow[][] = [];
  let open: ReadRow[] | null = null;
  for (const row of rows) {
    if (alone.has(row)) {
      runs.push([row]);
      open = null;
    } else if (open) open.push(row);
    else runs.push((open = [row]));
  }
  return runs;
}

/** Rows that say the same of a field, in whatever case. */
function sharing(rows: readonly ReadRow[], field: string): ReadRow[] {
  const by = new Map<string, ReadRow[]>();
  for (const row of rows) {
    const value = row.fields[field];
    if (typeof value !== 'string') continue;
    const key = value.toLowerCase();
    by.set(key, [...(by.get(key) ?? []), row]);
  }
  return [...by.values()].filter((same) => same.length > 1).flat();
}
