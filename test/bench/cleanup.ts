/** What a run has started and must end, however it ends: normally, by an error, or by Ctrl-C. */
export class Cleanup {
  private readonly steps: (() => unknown)[] = [];
  private running: Promise<void> | undefined;

  /** Ends this too, before what was added earlier. */
  add(step: () => unknown): void {
    this.steps.push(step);
  }

  /** Ends everything that was added; asked twice it does so once. @throws the first error, after all steps were tried */
  run(): Promise<void> {
    this.running ??= this.runAll().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async runAll(): Promise<void> {
    const errors: unknown[] = [];
    for (let step = this.steps.pop(); step; step = this.steps.pop()) {
      try {
        await step();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
