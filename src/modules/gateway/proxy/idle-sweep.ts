/** What is looked at now and then. */
export interface Swept {
  /** Its place among the open ones; the sweep's own. */
  slot: number;
  /** @param tick number of the look */
  check(tick: number): void;
}

/**
 * Looks at everything that is open at a steady pace. What happens on a connection notes the number of the last look, which
 * costs less than a timer of its own for each.
 *
 * The open ones stand in an array, in no order. A Set would be made anew every hundred or so of them, and V8 links each old
 * table to the next: those that were open then would outlive their time, and with them the collector's pauses grow tenfold.
 */
export class IdleSweep<T extends Swept> {
  tick = 0;
  private readonly all: T[] = [];
  private readonly timer: NodeJS.Timeout;

  constructor(readonly everyMs: number) {
    this.timer = setInterval(() => this.look(), everyMs);
    this.timer.unref();
  }

  /** How many are open. */
  get size(): number {
    return this.all.length;
  }

  /** Each once. */
  add(one: T): void {
    one.slot = this.all.length;
    this.all.push(one);
  }

  /** The last takes its place. It must be there. */
  remove(one: T): void {
    const last = this.all.pop() as T;
    if (last === one) return;
    this.all[one.slot] = last;
    last.slot = one.slot;
  }

  /** All that are open at this moment; the list stays as it is whatever happens to them. */
  list(): readonly T[] {
    return [...this.all];
  }

  /** How many looks a time is, at least one more than it takes. */
  ticksOf(timeMs: number): number {
    return Math.ceil(timeMs / this.everyMs) + 1;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    this.tick += 1;
    for (const one of this.list()) one.check(this.tick);
  }
}
