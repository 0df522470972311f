/** What long computations take of one round of the event loop, all of this process together. */
const SHARE_MS = 4;

/** Lets long computations have one slice in each round of the event loop, however many there are; all else comes in between. */
class Rounds {
  /** When this round's slice began; undefined: nobody has had it. */
  private sinceMs: number | undefined;
  private readonly waiting: (() => void)[] = [];

  /** Whether this round's slice is over; who asks first begins it. */
  get isSpent(): boolean {
    this.sinceMs ??= this.begin();
    return performance.now() - this.sinceMs >= SHARE_MS;
  }

  /** A slice of a later round, in the order in which they were asked for. */
  next(): Promise<void> {
    this.sinceMs ??= this.begin();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private begin(): number {
    setImmediate(() => this.end());
    return performance.now();
  }

  private end(): void {
    this.sinceMs = undefined;
    const next = this.waiting.shift();
    if (!next) return;
    this.sinceMs = this.begin();
    next();
  }
}

const rounds = new Rounds();

/** Does work of some milliseconds when there is time for it: much of it asked for at once holds nobody else up for long. */
export async function inTurn<T>(work: () => T): Promise<T> {
  if (rounds.isSpent) await rounds.next();
  return work();
}

/** What becomes of each item, in their order, as `inTurn` would do it. The work of one may take some milliseconds at most. */
export async function mapInTurns<T, R>(items: Iterable<T>, work: (item: T) => R): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) {
    if (rounds.isSpent) await rounds.next();
    results.push(work(item));
  }
  return results;
}
