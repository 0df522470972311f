/** How many slots of each key are taken, as parameters of a statement: keys, figures in the same order, and how many each has. */
export type SlotParams = [keys: string[], taken: number[], each: number];

/**
 * So many slots for each key, and no bound over all of them: whoever waits for an answer of one key takes nothing from the
 * others. Keys are few; one that was used once is remembered.
 */
export class KeyedSlots {
  private readonly taken = new Map<string, number>();
  private readonly underWay = new Set<Promise<void>>();

  constructor(private readonly each: number) {}

  /** What is taken at this moment. */
  get params(): SlotParams {
    const busy = [...this.taken].filter(([, taken]) => taken > 0);
    return [busy.map(([key]) => key), busy.map(([, taken]) => taken), this.each];
  }

  /** Takes a slot; whoever asked the database for work within `params` never takes one too many. */
  take(key: string): void {
    this.taken.set(key, (this.taken.get(key) ?? 0) + 1);
  }

  /** Gives it back. */
  release(key: string): void {
    this.taken.set(key, (this.taken.get(key) ?? 1) - 1);
  }

  /** Has the work, which never rejects, take a slot until it ends; `ended` is told after that. */
  run(key: string, work: Promise<void>, ended: () => void = () => undefined): void {
    this.take(key);
    const running = work.finally(() => {
      this.underWay.delete(running);
      this.release(key);
      ended();
    });
    this.underWay.add(running);
  }

  /** Resolves when all that is under way at this moment has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.underWay);
  }
}
