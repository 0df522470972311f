import { CommonErrors } from '../../common/common.errors';

/** What a caller that finds the line full is told to wait. */
const RETRY_AFTER_S = 5;

/** Work that only so many may do at once; so many others wait, in the order in which they came. */
export class WaitingLine {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly maxRunning: number,
    private readonly maxWaiting: number,
  ) {}

  /**
   * The work's result, once its turn has come.
   * @throws RATE_LIMITED at once, and the work does not run, when the line is full.
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= this.maxRunning) {
      if (this.waiting.length >= this.maxWaiting) throw CommonErrors.rateLimited(RETRY_AFTER_S);
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    } else {
      this.running += 1;
    }
    try {
      return await work();
    } finally {
      // The place goes straight to the next in line, so that nobody who comes just now overtakes.
      const next = this.waiting.shift();
      if (next) next();
      else this.running -= 1;
    }
  }
}
