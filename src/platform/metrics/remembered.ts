/**
 * What a question to the database was answered last, for metrics: a scrape shows what the one before it asked for, and never
 * waits. One question at a time, and its answer serves for a while: anybody may scrape.
 */
export class Remembered<T> {
  private last: T | undefined;
  private answeredAt = -Infinity;
  private asking = false;

  constructor(
    private readonly ask: () => Promise<T>,
    private readonly keepMs: number,
  ) {}

  /** The last answer, undefined before the first; asks again where it is old. A question that fails leaves it as it is. */
  present(): T | undefined {
    if (!this.asking && performance.now() - this.answeredAt >= this.keepMs) void this.askAgain();
    return this.last;
  }

  private async askAgain(): Promise<void> {
    this.asking = true;
    try {
      this.last = await this.ask();
      this.answeredAt = performance.now();
    } catch {
      // The database is away: health says so, and the next scrape asks again.
    } finally {
      this.asking = false;
    }
  }
}
