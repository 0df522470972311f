import { isDataError, isRollback } from './database-error';

/** How often a batch that the database rolled back (deadlock) is written again. */
const MAX_ROLLBACKS = 3;
const MAX_BYTES = 16 * 1024 * 1024;

export interface GroupCommitOptions<T, R> {
  /** Writes the rows in one committed statement; answers one result a row, in their order. */
  flush: (items: T[]) => Promise<R[]>;
  /** Statements on their way at once. */
  maxInFlight?: number;
  maxItems?: number;
  /** Of rows that may be large: one statement carries some megabytes at most. */
  bytesOf?: (item: T) => number;
}

interface Waiting<T, R> {
  item: T;
  resolve: (result: R) => void;
  reject: (error: unknown) => void;
}

/**
 * Natural group commit: the first row waits for nobody, and what comes while a statement is on its way rides together on the
 * next one. No timer: fast when idle, batches under load (measured at three to five times single inserts). A caller is
 * answered only after the commit of its row. A bad row fails alone: its batch is written again one by one.
 */
export class GroupCommit<T, R> {
  private readonly queue: Waiting<T, R>[] = [];
  private inFlight = 0;
  private idle: (() => void)[] = [];
  private readonly flush: (items: T[]) => Promise<R[]>;
  private readonly maxInFlight: number;
  private readonly maxItems: number;
  private readonly bytesOf: ((item: T) => number) | undefined;

  constructor(options: GroupCommitOptions<T, R>) {
    this.flush = options.flush;
    this.maxInFlight = options.maxInFlight ?? 2;
    this.maxItems = options.maxItems ?? 1000;
    this.bytesOf = options.bytesOf;
  }

  /** Writes the row with whatever else is waiting; rejects with the database's error, and then nothing of it is stored. */
  add(item: T): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      this.queue.push({ item, resolve, reject });
      this.pump();
    });
  }

  /** Resolves when nothing waits and nothing is on its way. */
  async drain(): Promise<void> {
    if (this.inFlight > 0) await new Promise<void>((resolve) => this.idle.push(resolve));
  }

  private pump(): void {
    while (this.inFlight < this.maxInFlight && this.queue.length > 0) {
      const batch = this.queue.splice(0, this.nextSize());
      this.inFlight += 1;
      void this.write(batch).finally(() => {
        this.inFlight -= 1;
        this.pump();
        if (this.inFlight === 0) for (const done of this.idle.splice(0)) done();
      });
    }
  }

  /** How many of the waiting rows the next statement takes: at least one. */
  private nextSize(): number {
    if (!this.bytesOf) return this.maxItems;
    let bytes = 0;
    const most = Math.min(this.queue.length, this.maxItems);
    for (let size = 0; size < most; size += 1) {
      bytes += this.bytesOf((this.queue[size] as Waiting<T, R>).item);
      if (bytes > MAX_BYTES) return Math.max(size, 1);
    }
    return most;
  }

  private async write(batch: Waiting<T, R>[], rollbacks = 0): Promise<void> {
    try {
      const results = await this.flush(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, i) => resolve(results[i] as R));
    } catch (error) {
      if (isRollback(error) && rollbacks < MAX_ROLLBACKS) return this.write(batch, rollbacks + 1);
      if (batch.length === 1 || !isDataError(error)) return batch.forEach(({ reject }) => reject(error));
      for (const waiting of batch) await this.write([waiting]);
    }
  }
}
