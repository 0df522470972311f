/** A group of timers that can be stopped at once, so that nothing fires after a stop, a crash or a close. */
export class Timers {
  private readonly running = new Set<NodeJS.Timeout>();
  private isClosed = false;

  /** Calls `action` after the delay, unless cleared or closed before. Returns a function that cancels it. */
  after(delayMs: number, action: () => void): () => void {
    if (this.isClosed) return () => undefined;
    const timer = setTimeout(() => {
      this.running.delete(timer);
      action();
    }, delayMs);
    this.running.add(timer);
    return () => {
      clearTimeout(timer);
      this.running.delete(timer);
    };
  }

  /** Resolves after the delay; never when cleared before. */
  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve);
    });
  }

  /** Stops them all and takes no new ones. */
  close(): void {
    this.isClosed = true;
    this.clear();
  }

  /** Stops them all. */
  clear(): void {
    for (const timer of this.running) clearTimeout(timer);
    this.running.clear();
  }
}
