/** A task that is run again and again: never twice at once, never at the same pace as its neighbours. */
export interface PeriodicOptions {
  everyMs: number;
  /** One round; its failure is reported and the next round comes all the same. */
  run: () => Promise<unknown>;
  onError: (error: unknown) => void;
}

/** Runs the task now and `everyMs` after each end, until stopped. */
export class Periodic {
  private timer: NodeJS.Timeout | undefined;
  private round: Promise<void> | undefined;
  private stopped = true;
  private again = false;

  constructor(private readonly options: PeriodicOptions) {}

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.next(0);
  }

  /** Runs a round at once; while one is running, another right after it. */
  nudge(): void {
    if (this.stopped) return;
    if (this.round) this.again = true;
    else this.next(0);
  }

  /** No further round; resolves when the running one has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.round;
  }

  private next(delayMs: number): void {
    clearTimeout(this.timer);
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.round = this.turn().finally(() => {
        this.round = undefined;
        this.next(this.again ? 0 : this.options.everyMs * (0.9 + Math.random() * 0.2));
        this.again = false;
      });
    }, delayMs);
  }

  private async turn(): Promise<void> {
    try {
      await this.options.run();
    } catch (error) {
      this.options.onError(error);
    }
  }
}
